import t from 'tap'
import { connected, publish } from '../helpers/calls.js'
import { startNginx } from '../helpers/nginx.js'
import { PollReader } from '../helpers/poll-reader.js'
import type { Reader } from '../helpers/reader.js'
import { serviceKey, startTestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'

// Debian's nginx as it is installed, with proxy_pass and nothing else: it speaks HTTP/1.0 to us and buffers what it can.

t.test('behind an nginx that only knows proxy_pass, at the root and at a prefix that it strips', async t => {
  const server = await startTestServer({ anonymousChannels: ['*'] })
  const nginx = await startNginx(`
    location / { proxy_pass ${server.url}; }
    location /push/ { proxy_pass ${server.url}/; }`)
  t.teardown(async () => {
    await nginx.close()
    await server.close()
  })
  const channels = ['a']

  for (const url of [nginx.url, `${nginx.url}/push`]) {
    t.test(`${new URL(url).pathname}: each message comes when it was sent, on streams and polls`, async t => {
      const stream = new SseReader(url, { channels })
      const poll = new PollReader(url, { channels })
      const readers: Reader[] = [stream, poll]
      t.match((await stream.head).headers, { 'content-type': 'text/event-stream; charset=utf-8' })
      for (const reader of readers) await reader.next('ready')
      await connected(server, 2)
      for (const data of [1, 'zwei', { three: 3 }, 'x'.repeat(200_000)]) {
        await publish(server, { channel: 'a', data })
        for (const reader of readers) t.strictSame(await reader.messages(1), [data])
      }
      for (const reader of readers) reader.close()
      await connected(server, 0)
    })

    t.test(`${new URL(url).pathname}: what is away for a moment is resumed`, async t => {
      const first = new SseReader(url, { channels })
      await first.next('ready')
      first.close()
      await publish(server, { channel: 'a', data: 'missed' })
      const again = new SseReader(url, { channels, lastEventId: first.cursor ?? '' })
      await again.next('ready')
      t.strictSame(await again.messages(1), ['missed'])
      again.close()
    })

    t.test(`${new URL(url).pathname}: the CMS publishes, and errors arrive as they are`, async t => {
      const post = (headers: Record<string, string>) =>
        fetch(`${url}/v1/publish`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: '{"channel":"a","data":1}',
        })
      t.match(await (await post({ authorization: `Bearer ${serviceKey}` })).json(), { id: /^\d+-\d+$/ })
      const refused = await post({})
      t.equal(refused.status, 401)
      t.match(await refused.json(), { code: 'DOWNPIPE_SERVICE_KEY_REQUIRED' })
      t.equal((await fetch(`${url}/healthz`)).status, 200)
    })
  }

  t.test('a close arrives, and so does the end', async t => {
    await connected(server, 0)
    const stream = new SseReader(nginx.url, { headers: { authorization: `Bearer ${serviceKey}` } })
    await stream.next('ready')
    const closing = server.close()
    t.match((await stream.next('close')).data, { reason: 'shutdown' })
    await stream.next('end')
    await closing
  })
})
