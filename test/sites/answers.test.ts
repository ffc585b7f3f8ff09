import t from 'tap'
import { until } from '../helpers/calls.js'
import { poll } from '../helpers/poll-reader.js'
import { startSites } from '../helpers/sites.js'
import { SseReader } from '../helpers/sse-reader.js'

/** JSON that is read without recursion, and not written: a stack overflow in the turn of a live connection ended the process. */
const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`

t.test('an answer nested deeper than JSON can be written ends nothing, in no site', async t => {
  const { blog, shop } = await startSites(t, { shop: { anonymousChannels: ['*'] } })
  let info = '{"name":"Ada"}'
  blog.cms.answer = (_token, response) => {
    response
      .setHeader('content-type', 'application/json')
      .end(`{"uid":"5","channels":["news"],"info":${info}}`)
  }
  const stream = new SseReader(blog.url, { token: 'five' })
  t.teardown(() => stream.close())
  await stream.next('ready')
  info = deep
  await blog.post('/refresh', { uid: '5' })
  await until('the CMS was asked again', async () => blog.cms.asked.length > 1)
  t.match(await poll(blog.url, { token: 'another' }), { status: 503, body: { code: 'DOWNPIPE_BUSY' } })
  t.match(await poll(shop.url, { channels: ['news'] }), { status: 200 })
  await blog.post('/publish', { channel: 'news', data: 'still here' })
  t.strictSame(await stream.messages(1), ['still here'])
})
