import t from 'tap'
import { connected } from '../helpers/calls.js'
import { heapBytes } from '../helpers/heap.js'
import { RawConnection } from '../helpers/raw-connection.js'
import { startTestServer } from '../helpers/server.js'
import { headOf } from '../helpers/two-ways.js'

const ready = /^event: ready\n(.+\n)*\n/m

t.test('a stream does not keep its head, and nothing is kept of one that is over', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  server.cms.identities.set('a-token-of-some-length', { uid: '5', channels: ['a'] })
  const open = async (count: number) => {
    const clients = Array.from({ length: count }, () => new RawConnection(server.url))
    const browser = ['User-Agent: Mozilla/5.0 (X11; Linux x86_64)', `Cookie: a=${'x'.repeat(15_000)}`]
    for (const client of clients) client.write(headOf('/v1/stream?token=a-token-of-some-length', ...browser))
    for (const client of clients) await client.until(ready)
    return clients
  }
  const close = async (clients: readonly RawConnection[]) => {
    for (const client of clients) client.destroy()
    await connected(server, 0)
  }
  // What is made once is made.
  for (const _ of [1, 2, 3]) await close(await open(100))
  const before = await heapBytes()
  const clients = await open(300)
  const held = ((await heapBytes()) - before) / 300
  t.ok(held < 12_000, `${Math.round(held)} bytes each, both ends`)
  await close(clients.splice(0))
  const left = ((await heapBytes()) - before) / 300
  // Some hundred are the test runner's, for each promise. A head would be 15,000, and a socket some thousands.
  t.ok(left < 2_000, `${Math.round(left)} bytes each are left`)
})
