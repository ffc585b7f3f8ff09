import { EventSource } from 'eventsource'
import t, { type Test } from 'tap'
import { Queue } from '../client/queue.js'
import { poll } from '../helpers/poll-reader.js'
import { SseReader } from '../helpers/sse-reader.js'
import { createCms } from './cms-app.js'

async function start(t: Test) {
  const app = createCms()
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const login = async (name: string) => {
    const response = await fetch(`${url}/login/${name}`, { method: 'POST' })
    return String(response.headers.get('set-cookie')?.split(';')[0])
  }
  const save = (id: string, text: string) =>
    fetch(`${url}/articles/${id}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
    })
  return { app, url, push: `${url}/push`, login, save }
}

t.test('a CMS in Node is its own push server: a session cookie reads, a saved article is pushed', async t => {
  const { push, login, save } = await start(t)
  const stream = new SseReader(push, { channels: ['article_7'], headers: { cookie: await login('ada') } })
  t.teardown(() => stream.close())
  t.match(await stream.next('ready'), { data: { uid: '1', info: { name: 'Ada' } } })
  await save('7', 'first')
  t.strictSame(await stream.messages(1), [{ text: 'first' }])
})

t.test('a plain EventSource goes on from the cursor that the page was printed with', async t => {
  const { url, push, save } = await start(t)
  const { cursor, text } = await (await fetch(`${url}/articles/7`)).json()
  t.equal(text, '')
  await save('7', 'saved before the page was there')
  const source = new EventSource(`${push}/v1/stream?channel=article_7&since=${cursor}`)
  t.teardown(() => source.close())
  const texts = new Queue<string>()
  source.onmessage = ({ data }) => texts.push(JSON.parse(data).data.text)
  t.equal(await texts.next('a message'), 'saved before the page was there')
  await save('7', 'saved after')
  t.equal(await texts.next('a message'), 'saved after')
})

t.test('the session says what may be read, and its end is the end of the stream', async t => {
  const { url, push, login } = await start(t)
  const cookie = await login('bob')
  t.match(await poll(push, { channels: ['editors'], headers: { cookie } }), {
    status: 403,
    body: { code: 'DOWNPIPE_CHANNEL_FORBIDDEN', channel: 'editors' },
  })
  const stream = new SseReader(push, { channels: ['news'], headers: { cookie } })
  t.match(await stream.next('ready'), { data: { uid: '2', channels: ['news'] } })
  await fetch(`${url}/logout`, { method: 'POST', headers: { cookie } })
  t.match(await stream.next(), { event: 'close', data: { reason: 'logout', reconnect: false } })
  t.match(await poll(push, { headers: { cookie } }), {
    status: 401,
    body: { code: 'DOWNPIPE_TOKEN_REFUSED' },
  })
  t.match(await poll(push, { headers: { cookie: 'sid=made-up' } }), { status: 401 })
})

t.test('without a service key nobody publishes over HTTP', async t => {
  const { push } = await start(t)
  for (const authorization of ['Bearer ', 'Bearer undefined', 'Bearer x']) {
    const headers = { authorization, 'content-type': 'application/json' }
    const response = await fetch(`${push}/v1/publish`, {
      method: 'POST',
      headers,
      body: '{"broadcast":true}',
    })
    t.equal(response.status, 401)
    t.match(await response.json(), { code: 'DOWNPIPE_SERVICE_KEY_REQUIRED' })
  }
})
