import t from 'tap'
import { RawConnection } from '../helpers/raw-connection.js'
import {
  errorAnswer,
  invalidRequest,
  secret,
  startWatchedServer,
  watchedKey,
} from '../helpers/watched-server.js'

const server = await startWatchedServer(
  t,
  '--token-cookie=sid',
  '--max-data=1KB',
  '--max-body=16KB',
  '--max-messages=3',
)

t.test('a body that is no JSON is refused', async t => {
  for (const body of ['{"channel":', '{channel:1}', `"${secret}`, `${secret}=1`, '\u0000']) {
    t.match(await server.post('/v1/publish', body), invalidRequest('body: not valid JSON'), body)
  }
  t.match(await server.post('/v1/publish', ''), invalidRequest('body: empty; JSON was expected'))
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const good = '{"channel":"a"}'
  for (const type of [
    form,
    { 'content-type': 'text/plain' },
    { 'content-type': 'text/html' },
    { 'content-type': 'x' },
  ]) {
    t.match(
      await server.post('/v1/publish', good, type),
      errorAnswer(415, 'UNSUPPORTED_MEDIA_TYPE'),
      type['content-type'],
    )
  }
  const noType = await server.ask('/v1/publish', {
    method: 'POST',
    body: Buffer.from(good),
    headers: { authorization: `Bearer ${watchedKey}` },
  })
  t.match(noType, errorAnswer(415, 'UNSUPPORTED_MEDIA_TYPE'))
  // The framework has an error of its own for it; as a fault of ours, any stranger could fill the log with it.
  for (const path of ['/v1/publish', '/v1/poll', '/nowhere']) {
    t.match(await server.ask(path, { method: 'QUERY' }), errorAnswer(415, 'UNSUPPORTED_MEDIA_TYPE'), path)
  }
})

t.test('a message that is not of the documented form is refused, and it is said where', async t => {
  const refused: readonly (readonly [unknown, RegExp | string])[] = [
    [null, 'body: a message is a JSON object'],
    [5, 'body: a message is a JSON object'],
    ['x', 'body: a message is a JSON object'],
    [[], 'body: an array must hold at least one message'],
    [[[]], 'body[0]: a message is a JSON object'],
    [{ channel: 'a', chanel: secret }, 'body: unknown field "chanel"'],
    [[{ channel: 'a' }, { channel: 'a', date: 1 }], 'body[1]: unknown field "date"'],
    [{ data: 1 }, /^body: no target/],
    [{}, /^body: no target/],
    [{ channel: 'a', channels: ['b'] }, /^body: more than one target/],
    [{ uid: '5', uids: ['6'] }, /^body: more than one target/],
    [{ uid: '5', broadcast: true }, /^body: more than one target/],
    [{ channels: ['a'], uid: '5' }, /^body: more than one target/],
    [{ broadcast: false }, /^body\.broadcast/],
    [{ channel: '' }, 'body.channel: a channel name must not be empty'],
    [{ channel: 'a\nb' }, 'body.channel: a channel name must not hold control characters'],
    [{ channel: 'a\u0000' }, 'body.channel: a channel name must not hold control characters'],
    [{ channel: 'a\u0085b' }, 'body.channel: a channel name must not hold control characters'],
    [{ channel: 'a*' }, 'body.channel: a channel name must not end in *'],
    [{ channel: 'ä'.repeat(101) }, 'body.channel: a channel name is at most 200 bytes'],
    [{ channels: ['a', 'b\r'] }, 'body.channels[1]: a channel name must not hold control characters'],
    [{ channels: [] }, /^body\.channels/],
    [{ channels: Array.from({ length: 101 }, (_, index) => `c${index}`) }, /^body\.channels/],
    [{ uids: Array.from({ length: 1_001 }, (_, index) => index) }, /^body\.uids/],
    [{ uids: [] }, /^body\.uids/],
    [{ channel: 5 }, /^body\.channel/],
    [{ uid: 1.5 }, /^body\.uid/],
    [{ uid: '' }, /^body\.uid/],
    [{ uid: null }, /^body\.uid/],
    [{ channel: 'a', callback: [] }, /^body\.callback/],
    [{ channel: 'a', callback: 'x'.repeat(201) }, /^body\.callback/],
    [{ channel: 'a', type: 5 }, /^body\.type/],
    [{ channel: 'a', except: {} }, /^body\.except/],
    [{ channel: 'a', ttl: -1 }, /^body\.ttl/],
    [{ channel: 'a', ttl: 0.5 }, /^body\.ttl/],
    [{ channel: 'a', ttl: '5' }, /^body\.ttl/],
    [{ channel: 'a', idempotencyKey: '' }, /^body\.idempotencyKey/],
  ]
  for (const [body, message] of refused) {
    const json = JSON.stringify(body)
    t.match(await server.post('/v1/publish', json), invalidRequest(message), json.slice(0, 80))
  }
})

t.test('what is too large is refused, and the limit is named', async t => {
  const publish = (body: unknown) => server.post('/v1/publish', JSON.stringify(body))
  t.match(
    await publish({ channel: 'a', data: 'x'.repeat(1_023) }),
    errorAnswer(413, 'TOO_LARGE', 'body.data: at most 1024 bytes as JSON'),
  )
  t.match(await publish({ channel: 'a', data: 'ä'.repeat(600) }), errorAnswer(413, 'TOO_LARGE', /bytes/))
  t.match(
    await publish([1, 2, 3, 4].map(data => ({ channel: 'a', data }))),
    errorAnswer(413, 'TOO_LARGE', 'body: 4 messages; at most 3 in one call'),
  )
  const large = JSON.stringify({ channel: 'a', data: 'x'.repeat(20_000) })
  t.match(await server.post('/v1/publish', large), errorAnswer(413, 'TOO_LARGE', 'body: at most 16384 bytes'))
  const chunked = new RawConnection(server.url)
  const head = [
    `Authorization: Bearer ${watchedKey}`,
    'Content-Type: application/json',
    'Transfer-Encoding: chunked',
  ]
  chunked.write(
    'POST /v1/publish HTTP/1.1',
    'Host: x',
    ...head,
    '',
    '5000',
    large.slice(0, 0x5000).padEnd(0x5000),
    '0',
    '',
    '',
  )
  await chunked.until(/^HTTP\/1\.1 413 .*DOWNPIPE_TOO_LARGE/s)
  chunked.destroy()
})

t.test('without a good key nothing is done, and there is no hint at what was wrong', async t => {
  const headers = [
    {},
    { authorization: `Bearer ${secret}-wrong-key` },
    { authorization: `Bearer ${watchedKey}x` },
    { authorization: `Bearer ${watchedKey.slice(0, -1)}` },
    { authorization: 'Bearer ' },
    { authorization: `Basic ${Buffer.from(watchedKey).toString('base64')}` },
    { authorization: watchedKey },
    { cookie: `sid=${watchedKey}` },
  ]
  const calls = [
    ['POST', '/v1/publish'],
    ['GET', '/v1/cursor'],
    ['POST', '/v1/kick'],
    ['POST', '/v1/logout'],
    ['GET', '/v1/stats'],
    ['GET', '/v1/stats/stream'],
    ['GET', `/v1/stats?token=${watchedKey}`],
  ]
  const bodies = new Set<string>()
  for (const [method = '', path = ''] of calls) {
    for (const header of headers) {
      const answer = await server.ask(path, { method, headers: header })
      t.match(answer, errorAnswer(401, 'SERVICE_KEY_REQUIRED'), `${method} ${path}`)
      bodies.add(JSON.stringify(answer.body))
    }
  }
  t.equal(bodies.size, 1)
})

t.test('kick and logout say what is wrong with their bodies', async t => {
  const refused = [
    ['/v1/kick', {}, /uid/],
    ['/v1/kick', { uid: '' }, /^body\.uid/],
    ['/v1/kick', { uid: '5', hold: -1 }, /^body\.hold/],
    ['/v1/kick', { uid: '5', hold: '5' }, /^body\.hold/],
    ['/v1/kick', { uid: '5', hold: 86_401 }, /^body\.hold/],
    ['/v1/kick', { uid: '5', reason: secret }, 'body: unknown field "reason"'],
    ['/v1/kick', [], /^body/],
    ['/v1/logout', {}, /token/],
    ['/v1/logout', { token: '' }, /^body\.token/],
    ['/v1/logout', { token: 5 }, /^body\.token/],
    ['/v1/logout', { token: 'x', uid: '5' }, 'body: unknown field "uid"'],
  ] as const
  for (const [path, body, message] of refused) {
    t.match(
      await server.post(path, JSON.stringify(body)),
      invalidRequest(message),
      `${path} ${JSON.stringify(body)}`,
    )
  }
})

t.test('after all of this its log holds no fault of ours and no secret', t => server.assertQuiet(t))
