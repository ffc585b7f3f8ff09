import type { RequestListener } from 'node:http'
import { request } from 'node:http'
import t, { type Test } from 'tap'
import { defaults } from '../../src/config.js'
import { startServer } from '../../src/server.js'
import { examine } from '../helpers/doctor.js'
import { startForeignServer } from '../helpers/foreign-server.js'
import { deadUrl } from '../helpers/listening.js'
import { serviceKey, startTestServer, type TestServer } from '../helpers/server.js'
import { run } from '../helpers/terminal.js'

// Proxies of our own, each with one bad habit, and servers that are not well.

const key = ['--key', serviceKey]

/** What a proxy does with one request, in place of passing it on. */
type Habit = (...call: Parameters<RequestListener>) => boolean

/** A proxy that passes on all but what its habit takes. */
function startProxy(t: Test, server: TestServer, habit: Habit): Promise<string> {
  return startForeignServer(t, (incoming, outgoing) => {
    if (habit(incoming, outgoing)) return
    const onward = request(server.url + incoming.url, {
      method: incoming.method ?? 'GET',
      headers: incoming.headers,
    })
    onward.on('response', answer => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      outgoing.flushHeaders()
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    outgoing.on('close', () => onward.destroy())
    incoming.pipe(onward)
  })
}

t.test('nobody there, or nobody who answers', async t => {
  const dead = await examine(t, await deadUrl())
  t.match(dead.findings, {
    reach: { level: 'fault', seen: 'the connection was refused', means: /does it run/ },
  })
  const silent = await startForeignServer(t, () => {})
  const late = await examine(t, silent, '--timeout=300ms')
  t.match(late.findings, { reach: { level: 'fault', seen: 'no answer within 0.3 s' } })
})

t.test('a web site that is not Downpipe, whatever it answers', async t => {
  const site = await startForeignServer(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html', server: 'Caddy' }).end('<h1>Welcome')
  })
  const { proxies, findings } = await examine(t, site)
  t.strictSame(proxies, ['Caddy'])
  t.match(findings, {
    reach: { seen: 'it is not Downpipe that answers: 200, text/html', change: { Caddy: /handle_path/ } },
  })
})

t.test('proxies that make themselves known are named, and only their lines are shown to people', async t => {
  for (const [headers, name, line] of [
    [{ server: 'Apache/2.4.62 (Debian)' }, 'Apache', /ProxyPass "\/push\/"/],
    [{ 'x-varnish': '32770', via: '1.1 cache' }, 'Varnish', /regsub/],
    [{ server: 'openresty/1.27' }, 'nginx', /location \/push\//],
  ] as const) {
    const site = await startForeignServer(t, (_request, response) => response.writeHead(404, headers).end())
    const { out, code } = await run(t, ['doctor', site])
    t.equal(code, 1)
    t.match(out, /^FAULT {2}reach +it is not Downpipe that answers: 404, no Content-Type\n {7}that means: /)
    t.match(out, line)
    for (const other of ['nginx', 'Apache', 'Varnish', 'Caddy']) {
      t.equal(out.includes(` ${other}: `), other === name, other)
    }
  }
  const unknown = await run(t, [
    'doctor',
    await startForeignServer(t, (_request, response) => response.end()),
  ])
  for (const proxy of ['nginx', 'Apache', 'Varnish', 'Caddy']) t.match(unknown.out, `       ${proxy}: `)
})

t.test('between us and a server', async t => {
  // They wait most of the time.
  t.jobs = 4
  const server = await startTestServer({
    heartbeatMs: 1_000,
    pollWaitMs: 1_000,
    anonymousChannels: ['open_*'],
  })
  t.teardown(() => server.close())
  const isStream = ({ url = '' }: { readonly url?: string | undefined }) => url.includes('/stream')

  t.test('nothing, while messages come all the time', async t => {
    const busy = await startTestServer({
      // So long that a machine which is busy itself makes no such pause.
      heartbeatMs: 3_000,
      pollWaitMs: 1_000,
      anonymousChannels: ['open_*'],
    })
    t.teardown(() => busy.close())
    const timer = setInterval(
      () => void busy.post('/publish', { broadcast: true, data: 1 }).catch(() => {}),
      300,
    )
    t.teardown(() => clearInterval(timer))
    const { findings, faults } = await examine(t, busy.url, ...key)
    t.strictSame(faults, [])
    t.match(findings.heartbeat, { level: 'untested', seen: /messages came all the time/ })
  })

  t.test('a proxy that gives the stream nothing but its end', async t => {
    const url = await startProxy(t, server, incoming => isStream(incoming))
    const { findings, faults } = await examine(t, url, ...key, '--timeout=1s')
    t.strictSame(faults, ['stream'])
    t.match(findings.stream, {
      seen: 'nothing came within 1 s, not even the head',
      change: { Apache: /flushpackets=on/ },
    })
  })

  t.test('one that passes on the head and the beginning, and keeps the rest', async t => {
    const url = await startProxy(t, server, (incoming, outgoing) => {
      if (!isStream(incoming)) return false
      const onward = request(server.url + incoming.url, { headers: incoming.headers })
      onward.on('response', answer => {
        outgoing.writeHead(200, answer.headers).flushHeaders()
        answer.once('data', (chunk: Buffer) => outgoing.write(chunk))
      })
      onward.end()
      outgoing.on('close', () => onward.destroy())
      return true
    })
    const { findings, faults } = await examine(t, url, ...key, '--timeout=2s')
    t.ok(faults.includes('delivery'))
    t.match(findings.delivery, { seen: /did not come within 2 s after it was published/ })
  })

  t.test('one that cuts every stream at once, and one that answers it with HTML', async t => {
    const cutting = await startProxy(t, server, (incoming, outgoing) => {
      if (isStream(incoming)) outgoing.destroy()
      return isStream(incoming)
    })
    t.match((await examine(t, cutting, ...key)).findings.stream, { seen: /cut before an answer/ })
    const answering = await startProxy(t, server, (incoming, outgoing) => {
      if (isStream(incoming)) outgoing.writeHead(502, { 'content-type': 'text/html' }).end('<h1>')
      return isStream(incoming)
    })
    const { findings } = await examine(t, answering, ...key)
    t.match(findings.stream, { seen: "the answer is not Downpipe's (502), although a poll's was" })
  })

  t.test('one that cuts after a while is found by waiting longer', async t => {
    const url = await startProxy(t, server, (incoming, outgoing) => {
      if (isStream(incoming)) setTimeout(() => outgoing.destroy(), 2_500)
      return false
    })
    const { findings } = await examine(t, url, ...key, '--wait=10s')
    t.match(findings.heartbeat, { level: 'fault', seen: /cut after [2-4](\.\d)? s/ })
  })

  t.test('one that gives up polls that wait', async t => {
    const url = await startProxy(t, server, (incoming, outgoing) => {
      const isWaiting = incoming.url?.includes('wait=25') === true
      if (isWaiting) outgoing.writeHead(504, { 'content-type': 'text/html' }).end('<h1>')
      return isWaiting
    })
    const { findings, faults } = await examine(t, url, ...key)
    t.strictSame(faults, ['poll'])
    t.match(findings.poll, { seen: /answered with 504/, change: { Varnish: /first_byte_timeout/ } })
  })

  t.test('one that answers OPTIONS by itself', async t => {
    const url = await startProxy(t, server, ({ method }, outgoing) => {
      if (method === 'OPTIONS') outgoing.writeHead(405).end()
      return method === 'OPTIONS'
    })
    const { findings } = await examine(t, url, ...key, '--origin=https://www.example.com')
    t.match(findings['cors preflight'], { level: 'fault', seen: 'OPTIONS is answered with 405' })
  })

  t.test('a clock that is off is a note', async t => {
    const url = await startForeignServer(t, (_request, response) => {
      response
        .setHeader('date', 'Sat, 01 Jan 2000 00:00:00 GMT')
        .setHeader('content-type', 'application/json')
      response.end('{"statusCode":401,"code":"DOWNPIPE_TOKEN_REQUIRED","message":"no"}')
    })
    t.match((await examine(t, url)).findings.clock, { level: 'note', seen: /ours is \d{9} s ahead/ })
  })

  t.test(
    'without key and token, what is open to all can be looked at, and else it is said what is missing',
    async t => {
      const open = await examine(t, server.url, '--channel=open_1')
      t.match(open, {
        code: 0,
        findings: { delivery: { level: 'good', seen: /more can be said with --key/ } },
      })
      t.match(open.findings.resume, { level: 'good' })
      t.match(open.findings.token, { level: 'untested', seen: /give --token/ })
      const closedServer = await startTestServer()
      t.teardown(() => closedServer.close())
      const closed = await examine(t, closedServer.url)
      t.match(closed, {
        code: 0,
        findings: { stream: { level: 'untested', seen: /without --key, --token, or --channel/ } },
      })
    },
  )

  t.test('an origin that the server does not allow is a matter of --allow-origin', async t => {
    const { findings, faults } = await examine(t, server.url, ...key, '--origin=https://www.example.com')
    t.strictSame(faults, ['cors poll'], 'and of nothing in front of it')
    t.match(findings['cors poll'], { change: { Downpipe: '--allow-origin https://www.example.com' } })
    t.match(findings['cors preflight'], { level: 'untested', change: undefined })
    const own = await examine(t, server.url, ...key, '--origin', server.url)
    t.strictSame(own.faults, [])
  })

  t.test('with listeners of its own for the CMS it is told where to publish', async t => {
    const split = await startTestServer({
      controlListen: [{ host: '127.0.0.1', port: 0 }],
      heartbeatMs: 1_000,
      pollWaitMs: 1_000,
    })
    t.teardown(() => split.close())
    const [browsers = '', control = ''] = split.urls
    const without = await examine(t, browsers, ...key)
    t.match(without.findings.delivery, { level: 'untested', seen: /--control-url/ })
    const { findings } = await examine(t, browsers, ...key, '--control-url', control)
    t.match(findings.delivery, { level: 'good' })
  })
})

// A name that was mistyped or forgotten once sent people to the prefix in their proxy's configuration, which was right.
t.test('a site that the server does not have is no matter of the prefix', async t => {
  const server = await startServer(
    defaults({
      listen: [{ host: '127.0.0.1', port: 0 }],
      logLevel: 'silent',
      sites: [{ name: 'blog', config: defaults({ serviceKeys: [serviceKey] }) }],
    }),
  )
  t.teardown(() => server.close())
  for (const [url, ...options] of [
    [server.url],
    [server.url, '--site=blok'],
    [`${server.url}/sites/blok`],
  ] as const) {
    const { findings } = await examine(t, url, ...options)
    t.match(findings.reach, { level: 'fault', means: /no such site/, change: { Downpipe: /--site/ } })
    t.equal(findings.reach?.change?.nginx, undefined)
  }
  const astray = await examine(t, `${server.url}/push/sites/blog`)
  t.match(astray.findings.reach, { level: 'fault', change: { nginx: /location \/push\// } })
})

t.test('how the CMS answers about tokens', async t => {
  const server = await startTestServer({ heartbeatMs: 1_000, pollWaitMs: 1_000, verifyTimeoutMs: 1_000 })
  t.teardown(() => server.close())
  server.cms.identities.set('good-token', { uid: '5', channels: ['a'] })

  t.test('a token that is refused', async t => {
    const { findings, faults } = await examine(t, server.url, ...key, '--token=seCret-token')
    t.strictSame(faults, ['token'])
    t.match(findings.token, { seen: /\(401, DOWNPIPE_TOKEN_REFUSED\)/, change: { Downpipe: /--auth-url/ } })
    t.notMatch(JSON.stringify(findings), 'seCret')
  })

  t.test('an answer that takes its time', async t => {
    server.cms.answer = (_token, response) => {
      setTimeout(
        () => response.setHeader('content-type', 'application/json').end('{"uid":"6","channels":["a"]}'),
        1_100,
      )
    }
    const slow = await startTestServer({ heartbeatMs: 1_000, pollWaitMs: 1_000, authUrl: server.cms.url })
    t.teardown(() => slow.close())
    const { findings } = await examine(t, slow.url, '--token=slow-token')
    t.match(findings.token, {
      level: 'fault',
      seen: /accepted after \d{4} ms/,
      means: /first page view waits/,
      // An answer that is only slow is in no log.
      change: { Downpipe: 'what --auth-url leads to' },
    })
  })

  t.test('an answer that is wrong, seen by the visitor and in the figures', async t => {
    server.cms.answer = (_token, response) => response.end('<h1>Please log in')
    const { findings, faults } = await examine(t, server.url, ...key, '--token=any-token')
    t.strictSame(faults, ['token', 'auth url'])
    t.match(findings.token, { seen: /DOWNPIPE_BUSY/, change: { Downpipe: /log says what was wrong/ } })
    t.match(findings['auth url'], { seen: /1 had no good answer/ })
    server.cms.answer = undefined
  })

  t.test('a token from the standard input, whose stream is closed at once when the CMS is away', async t => {
    server.cms.answer = (_token, response) => response.destroy()
    const { out, code } = await run(t, ['doctor', server.url, '--token=-'], {
      input: 'another-seCret-token\n',
    })
    t.equal(code, 1)
    t.match(out, /^FAULT {2}stream +it was closed at once: busy$/m)
    t.notMatch(out, 'seCret')
    server.cms.answer = undefined
  })
})

t.test('a URL that is none is a wrong command line', async t => {
  for (const url of ['push.example', 'http://a:seCret@b', 'http://b/?token=seCret']) {
    const { code, out, err } = await run(t, ['doctor', url])
    t.match({ code, out, err }, { code: 2, out: '', err: /the URL must be http/ })
    t.notMatch(err, 'seCret')
  }
})
