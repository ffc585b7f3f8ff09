import t from 'tap'
import { examine } from '../helpers/doctor.js'
import { startNginx } from '../helpers/nginx.js'
import { serviceKey, startTestServer } from '../helpers/server.js'

// What the doctor says of a real nginx: one as Debian configures it, and one for each thing that can be done wrong.

const origin = 'https://www.example.com'

t.test('behind nginx', async t => {
  // They wait most of the time.
  t.jobs = 4
  const server = await startTestServer({ heartbeatMs: 2_000, pollWaitMs: 2_000, allowOrigins: [origin] })
  server.cms.identities.set('a-token', { uid: '5', channels: ['a'] })
  const pass = `proxy_pass ${server.url}/;`
  const nginx = await startNginx(`
    location /good/ { ${pass} }
    location /buffered/ { ${pass} proxy_buffering on; proxy_ignore_headers X-Accel-Buffering; }
    location /compressed/ { ${pass} gzip_types text/event-stream; gzip_proxied any; gzip_http_version 1.0; }
    location /cut/ { ${pass} proxy_read_timeout 1s; }
    location /forgetful/ { ${pass} proxy_set_header Last-Event-ID ""; }
    location /nobody/ { ${pass} proxy_set_header Authorization ""; }
    location /twice/ { ${pass} add_header Access-Control-Allow-Origin * always; }
    location /stripped/ { ${pass} proxy_hide_header Access-Control-Allow-Origin; }
    location /rewritten/ { ${pass} proxy_hide_header Content-Type; proxy_hide_header Cache-Control; add_header Content-Type text/plain; }
    location /unstripped/ { proxy_pass ${server.url}; }
    location /dead/ { proxy_pass http://127.0.0.1:1/; }
    location /moved/ { return 301 https://elsewhere.example/push/?token=seCret; }
    location /short/ { ${pass} keepalive_timeout 0; }`)
  t.teardown(async () => {
    await nginx.close()
    await server.close()
  })
  const keyed = (path: string, ...options: readonly string[]) =>
    examine(t, `${nginx.url}/${path}/`, '--key', serviceKey, ...options)

  t.test('as it is installed, all is well, with everything looked at', async t => {
    const { code, proxies, findings } = await keyed('good', '--origin', origin, '--token', 'a-token')
    t.strictSame(proxies, ['nginx'])
    t.equal(code, 0)
    for (const [check, { level, seen }] of Object.entries(findings))
      t.equal(level, 'good', `${check}: ${seen}`)
    t.match(Object.keys(findings), [
      'reach',
      'keep-alive',
      'clock',
      'token',
      'auth url',
      'cors preflight',
      'cors poll',
      'cors stream',
      'content-type',
      'cache-control',
      'compression',
      'delivery',
      'resume',
      'heartbeat',
      'poll',
    ])
    t.match(findings.heartbeat?.seen, /one is due after 2 s/)
    t.match(findings.poll?.seen, /may wait 25 s was answered after (1\.[5-9]|[2-9])/, 'it did wait')
  })

  t.test('a stream that is held back', async t => {
    const { faults, findings } = await keyed('buffered', '--timeout=2s', '--wait=3s')
    t.ok(faults.includes('delivery') || faults.includes('stream'))
    const found = findings.delivery ?? findings.stream
    t.match(found?.change?.nginx, /proxy_buffering off;.*proxy_ignore_headers X-Accel-Buffering/)
    for (const proxy of ['Apache', 'Varnish', 'Caddy']) t.type(found?.change?.[proxy], 'string')
  })

  t.test('a stream that is held back is found out without a key, too', async t => {
    const { faults, findings } = await examine(
      t,
      `${nginx.url}/buffered/`,
      '--token=a-token',
      '--timeout=2s',
      '--wait=3s',
    )
    t.ok(faults.includes('delivery') || faults.includes('stream'))
    t.match((findings.delivery ?? findings.stream)?.change?.nginx, /proxy_buffering off;/)
  })

  t.test('a stream that is compressed', async t => {
    const { faults, findings } = await keyed('compressed')
    t.ok(faults.includes('compression'))
    t.match(findings.compression, { seen: /gzip/, change: { nginx: /gzip_types/, Apache: /no-gzip/ } })
  })

  t.test('a stream that is cut before a sign of life', async t => {
    const { faults, findings } = await keyed('cut')
    t.ok(faults.includes('heartbeat'))
    t.match(findings.heartbeat, { seen: /cut after .* one is due after 2 s/ })
    t.match(findings.heartbeat?.change?.nginx, /proxy_read_timeout 1h;/)
    t.match(findings.poll, {
      level: 'fault',
      seen: /answered with 504/,
      change: { nginx: /proxy_read_timeout 1m;/ },
    })
    t.match(findings.delivery, { level: 'good' })
  })

  t.test(
    'Last-Event-ID that is dropped, seen by replay, and without a key by the gap that does not come',
    async t => {
      for (const as of [
        ['--key', serviceKey],
        ['--token', 'a-token'],
      ]) {
        const { faults, findings } = await examine(t, `${nginx.url}/forgetful/`, ...as)
        t.strictSame(faults, ['resume'])
        t.match(findings.resume, {
          seen: /does not arrive/,
          change: { nginx: /proxy_set_header Last-Event-ID/ },
        })
        const well = await examine(t, `${nginx.url}/good/`, ...as)
        t.match(well.findings.resume, { level: 'good', seen: /Last-Event-ID arrives/ })
      }
    },
  )

  t.test('Authorization that is dropped', async t => {
    const { faults, findings } = await keyed('nobody')
    t.strictSame(faults, ['stream'])
    t.match(findings.stream, {
      seen: /DOWNPIPE_TOKEN_REQUIRED/,
      change: { nginx: /proxy_set_header Authorization/ },
    })
  })

  t.test('CORS that the proxy adds or takes away', async t => {
    for (const [path, seen] of [
      ['twice', /more than once/],
      ['stripped', /there is no Access-Control-Allow-Origin/],
    ] as const) {
      const { faults, findings } = await keyed(path, '--origin', origin)
      t.strictSame(faults, ['cors preflight', 'cors poll', 'cors stream'])
      t.match(findings['cors stream'], { seen, change: { nginx: /add_header Access-Control-/ } })
    }
  })

  t.test('headers that are rewritten', async t => {
    const { faults, findings } = await keyed('rewritten')
    t.strictSame(faults, ['content-type', 'cache-control'])
    t.match(findings['content-type'], {
      seen: /text\/plain/,
      change: { nginx: /proxy_hide_header Content-Type/ },
    })
    t.match(findings['cache-control'], { seen: /none/ })
  })

  t.test(
    'a prefix that is not stripped, an upstream that is not there, an address that has moved',
    async t => {
      const unstripped = await keyed('unstripped')
      t.match(unstripped.findings, {
        reach: { seen: /knows no such address/, change: { nginx: /location \/push\// } },
      })
      const dead = await keyed('dead')
      t.match(dead.findings, { reach: { seen: /502, text\/html/, change: { nginx: /proxy_pass/ } } })
      const moved = await keyed('moved')
      t.match(moved.findings, { reach: { seen: 'a redirect (301) to https://elsewhere.example' } })
      const nothing = await keyed('nothing')
      t.match(nothing.findings, { reach: { seen: /404, text\/html/, change: { nginx: /location/ } } })
    },
  )

  t.test('connections that are not kept cost something, and are no fault', async t => {
    const { code, findings } = await keyed('short')
    t.equal(code, 0)
    t.match(findings['keep-alive'], { level: 'note', change: { nginx: /keepalive_timeout 75s/ } })
  })
})
