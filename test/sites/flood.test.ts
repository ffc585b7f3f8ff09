import t from 'tap'
import { RawConnection } from '../helpers/raw-connection.js'
import { startSites } from '../helpers/sites.js'
import { SseReader } from '../helpers/sse-reader.js'

/** Readers of the flooded site, messages in the flood, and the characters of each. */
const [readers, messages, size] = [40, 400, 8_000] as const

t.test(
  'while one site is flooded, a message of another is delivered long before the flood is over',
  async t => {
    const open = { anonymousChannels: ['*'] }
    const { main, blog } = await startSites(t, { main: open, blog: open })
    const flooded: RawConnection[] = []
    let bytes = 0
    for (let count = 0; count < readers; count++) {
      const connection = new RawConnection(main.url)
      t.teardown(() => connection.destroy())
      connection.get('/v1/stream?channel=news')
      await connection.until(/event: ready/)
      connection.socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      flooded.push(connection)
    }
    const quiet = new SseReader(blog.url, { channels: ['news'] })
    t.teardown(() => quiet.close())
    await quiet.next('ready')
    const flood = Array.from({ length: messages }, () => ({ channel: 'news', data: 'x'.repeat(size) }))
    t.match(await main.post('/publish', flood), { status: 200 })
    t.match(await blog.post('/publish', { channel: 'news', data: 'hello' }), { status: 200 })
    t.strictSame(await quiet.messages(1), ['hello'])
    const all = readers * messages * size
    t.ok(bytes < all / 2, `${bytes} of ${all} bytes of the flood came before`)
    t.match(await blog.get('/stats'), { body: { messages: 1, deliveries: 1 } })
    // The flood is real: it goes on.
    const before = bytes
    await new Promise<void>(resolve => flooded[0]?.socket.once('data', () => resolve()))
    t.ok(bytes > before)
  },
)
