import t from 'tap'
import { until } from '../helpers/calls.js'
import { PollReader, poll } from '../helpers/poll-reader.js'
import { RawConnection } from '../helpers/raw-connection.js'
import { SseReader } from '../helpers/sse-reader.js'
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
  '--verify-timeout=1500ms',
  '--request-timeout=1s',
)
server.cms.identities.set(`${secret}-token`, { uid: '5', channels: [`${secret}-channel`] })

const channels = Array.from({ length: 201 }, (_, index) => `${secret}-${index}`)

t.test('a subscription that asks for what cannot be is refused on both transports', async t => {
  const token = `${secret}-token`
  const named = (count: number) =>
    channels
      .slice(0, count)
      .map(name => `channel=${name}`)
      .join('&')
  const refused = [
    [
      `token=${token}&channel=${secret}-other`,
      {},
      errorAnswer(403, 'CHANNEL_FORBIDDEN', `the channel "${secret}-other" is not allowed to this identity`),
    ],
    [`token=${token}&channel=`, {}, invalidRequest('channel: a channel name must not be empty')],
    [
      `token=${token}&channel=a%0Ab`,
      {},
      invalidRequest('channel: a channel name must not hold control characters'),
    ],
    [
      `token=${token}&channel=${'x'.repeat(201)}`,
      {},
      invalidRequest('channel: a channel name is at most 200 bytes'),
    ],
    [`token=${token}&channel=node_*`, {}, invalidRequest('channel: a channel name must not end in *')],
    [`token=${token}&${named(201)}`, {}, invalidRequest('channel: 201 named; a subscriber has at most 200')],
    [`token=${token}${'&grant=x'.repeat(9)}`, {}, invalidRequest('grant: at most 8 in one request')],
    [`token=${secret.padEnd(5_000, 'x')}`, {}, invalidRequest('the token is over 4096 bytes')],
    [
      `token=${secret.padEnd(10_000, 'x')}`,
      {},
      errorAnswer(414, 'URL_TOO_LONG', 'the address is over 7168 bytes'),
    ],
    [
      '',
      { authorization: `Bearer ${secret.padEnd(10_000, 'x')}` },
      invalidRequest('the token is over 4096 bytes'),
    ],
    ['', { cookie: `sid=${secret.padEnd(10_000, 'x')}` }, invalidRequest('the token is over 4096 bytes')],
    [`token=${secret}-unknown`, {}, errorAnswer(401, 'TOKEN_REFUSED')],
    [`token=${token}`, { origin: `https://${secret}.example` }, errorAnswer(403, 'ORIGIN_FORBIDDEN')],
    ['', {}, errorAnswer(401, 'TOKEN_REQUIRED')],
  ] as const
  for (const [query, headers, answer] of refused) {
    for (const route of ['stream', 'poll']) {
      t.match(
        await server.ask(`/v1/${route}?${query}`, { headers }),
        answer,
        `${route}?${query.slice(0, 60)}`,
      )
    }
  }
})

t.test('what no route is for, or is no address, is told without repeating it', async t => {
  const notFound = errorAnswer(404, 'NOT_FOUND', 'no such address')
  for (const [method, path] of [
    ['GET', `/v1/${secret}?token=${secret}`],
    ['POST', `/v1/stream?token=${secret}`],
    ['DELETE', '/v1/publish'],
    ['GET', '/v1/publish'],
    ['GET', '/'],
    ['GET', `/v1/stream/?token=${secret}`],
    ['GET', '/downpipe.js.map'],
  ] as const) {
    const answer = await server.ask(path, { method, headers: { authorization: `Bearer ${watchedKey}` } })
    t.match(answer, notFound, `${method} ${path}`)
    t.notMatch(JSON.stringify(answer.body), secret)
  }
  const raw = new RawConnection(server.url)
  raw.get(`/v1/%zz?token=${secret}`)
  await raw.until(/^HTTP\/1\.1 400 .*DOWNPIPE_INVALID_REQUEST.*\}$/s)
  t.notMatch(raw.received, secret)
  raw.destroy()
})

t.test('what is no request is told so, and cut', async t => {
  const refused = [
    [`${secret}\r\n\r\n`, /^HTTP\/1\.1 400 .*"message":"the request is not HTTP"/s],
    [
      `GET /v1/stream?token=${secret} HTTP/1.1\r\nHost: x\r\nX: ${secret.repeat(4_000)}\r\n\r\n`,
      /^HTTP\/1\.1 413 .*DOWNPIPE_TOO_LARGE/s,
    ],
    [
      `POST /v1/logout HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${watchedKey}\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"token":"${secret}`,
      /^HTTP\/1\.1 408 .*DOWNPIPE_REQUEST_TIMEOUT/s,
    ],
  ] as const
  for (const [request, answer] of refused) {
    const raw = new RawConnection(server.url)
    raw.write(request)
    await raw.closed
    t.match(raw.received, answer)
    t.notMatch(raw.received, secret)
  }
})

t.test('who leaves in the middle of a request does no harm', async t => {
  const raw = new RawConnection(server.url)
  const head = [`Authorization: Bearer ${watchedKey}`, 'Content-Type: application/json', 'Content-Length: 90']
  raw.write('POST /v1/logout HTTP/1.1', 'Host: x', ...head, '', `{"token":"${secret}`)
  await raw.opened
  t.match(await server.ask('/healthz'), { status: 200 })
  raw.socket.resetAndDestroy()
  await raw.closed
  t.match(await server.ask('/healthz'), { status: 200 })
})

t.test(
  'an auth URL that does not answer as it must is not believed, and the log says what it did',
  async t => {
    const html = { 'content-type': 'text/html' }
    const json = { 'content-type': 'application/json' }
    const answers: readonly (readonly [string, typeof server.cms.answer, RegExp])[] = [
      [
        'html',
        (_, response) => response.writeHead(200, html).end(`<p>${secret}`),
        /not JSON \(Content-Type: text\/html\)/,
      ],
      [
        'redirect',
        (_, response) => response.writeHead(302, { location: `/login?token=${secret}` }).end(),
        /redirect \(302\)/,
      ],
      ['500', (_, response) => response.writeHead(500).end(secret), /answered 500/],
      ['404', (_, response) => response.writeHead(404).end(secret), /answered 404/],
      ['garbage', (_, response) => response.socket?.end(secret), /could not be reached/],
      ['hang-up', (_, response) => response.socket?.destroy(), /could not be reached/],
      ['list', (_, response) => response.writeHead(200, json).end('[]'), /wrong shape/],
      [
        'shape',
        (_, response) => response.writeHead(200, json).end(`{"uid":"5","channels":"${secret}"}`),
        /wrong shape: answer\.channels/,
      ],
      [
        'name',
        (_, response) => response.writeHead(200, json).end('{"uid":"5","channels":["a\\n"]}'),
        /channels\[0\]: .*control/,
      ],
      [
        '10-mb',
        (_, response) => response.writeHead(200, json).end(`"${secret.repeat(2_000_000)}"`),
        /more than 1048576 bytes/,
      ],
      ['nothing', () => {}, /no answer within 1500 ms/],
      ['trickle', (_, response) => response.writeHead(200, json).write('{'), /no answer within 1500 ms/],
    ]
    for (const [name, answer, logged] of answers) {
      server.cms.answer = answer
      const logBefore = server.log.length
      const stream = new SseReader(server.url, { token: `${secret}-stream-${name}` })
      const refused = poll(server.url, { token: `${secret}-poll-${name}` })
      t.match((await stream.next('close')).data, { reason: 'busy', reconnect: true }, name)
      t.match(await refused, { ...errorAnswer(503, 'BUSY'), headers: { 'retry-after': /^\d$/ } })
      await until(`${logged} in the log`, () => logged.test(server.log.slice(logBefore)))
    }
    server.cms.answer = undefined
    const reader = new PollReader(server.url, { token: `${secret}-token` })
    t.match((await reader.next('ready')).data, { uid: '5' }, 'it recovers')
    reader.close()
  },
)

t.test('after all of this its log holds no fault of ours and no secret', t => server.assertQuiet(t))
