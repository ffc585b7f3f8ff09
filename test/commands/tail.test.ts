import t from 'tap'
import { connected, publish } from '../helpers/calls.js'
import { startForeignServer } from '../helpers/foreign-server.js'
import { serviceKey, startTestServer } from '../helpers/server.js'
import { RunningCommand } from '../helpers/terminal.js'

const env = { DOWNPIPE_SERVICE_KEY: serviceKey }

t.test(
  'tail prints messages of its channels with time and id as they come, and ends well on Ctrl-C',
  async t => {
    const server = await startTestServer()
    t.teardown(() => server.close())
    const tail = new RunningCommand(t, ['tail', 'news', 'a b', '--url', server.url], { env })
    await tail.says(/^listening on news, a b$/m)
    const id = await publish(server, {
      channel: 'news',
      data: { title: 'ä\u009b31m\u202e' },
      type: 'article',
    })
    await publish(server, { channel: 'other', data: 1 })
    await publish(server, { channels: ['news', 'a b'], data: [2] })
    await tail.says(/\[2\]/)
    const [first = '', second = '', ...rest] = tail.out.split('\n')
    const [ms] = id.split('-')
    const time = new Date(Number(ms)).toISOString()
    t.equal(
      first,
      `${time}  ${id}  news  [article]  {"title":"ä\\u009b31m\\u202e"}`,
      'harmless on a terminal',
    )
    t.match(second, /^\S+ {2}\S+-3 {2}news, a b {2}\[2\]$/)
    t.strictSame(rest, [''])
    tail.interrupt()
    t.equal(await tail.exit, 0)
    t.equal(tail.err, 'listening on news, a b\n', 'an end that was asked for is no trouble')
    await connected(server, 0)
  },
)

t.test('--since begins with what is held, and a place that is not held is a gap', async t => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const first = await publish(server, { channel: 'a', data: 'first' })
  await publish(server, { channel: 'a', data: 'second' })
  const tail = (since: string) =>
    new RunningCommand(t, ['tail', 'a', '--since', since, '--json', '--url', server.url], { env })
  const all = tail('0')
  await all.says(/"second"/)
  const lines = all.out.trim().split('\n')
  t.match(
    lines.map(line => JSON.parse(line)),
    [
      { ready: { channels: ['a'] } },
      { id: first, message: { channel: 'a', data: 'first' } },
      { message: { data: 'second' } },
    ],
  )
  const rest = tail(first)
  await rest.says(/"second"/)
  t.notMatch(rest.out, '"first"')
  const lost = tail('1-1')
  await lost.says(/"gap"/)
  const people = new RunningCommand(t, ['tail', 'a', '--since', '1-1', '--url', server.url], { env })
  await people.says(/^-- messages may be missing here \(unknown\) --$/m)
})

t.test(
  'a stream that is cut is opened again from where it was, with the delay that the server asked for',
  async t => {
    const asked: (string | undefined)[] = []
    const url = await startForeignServer(t, (request, response) => {
      const lastId = request.headers['last-event-id']
      asked.push(typeof lastId === 'string' ? lastId : undefined)
      const count = asked.length
      // The second time what is in front of the server answers: it is being mended.
      if (count === 2) {
        response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>')
        return
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`retry: 10\n\nevent: ready\nid: 9-${count}\ndata: {"channels":["a"],"heartbeat":25}\n\n`)
      if (count === 1)
        response.write('id: 9-7\ndata: {"channel":"a","data":"before"}\n\n', () => response.destroy())
      if (count === 3) response.end('event: close\ndata: {"reason":"age","reconnect":true,"retryMs":5}\n\n')
      if (count === 4) response.write('id: 9-8\ndata: {"channel":"a","data":"after"}\n\n')
    })
    const tail = new RunningCommand(t, ['tail', 'a', '--url', url], { env })
    await tail.says(/"after"/)
    t.strictSame(asked, [undefined, '9-7', '9-7', '9-3'])
    t.match(
      tail.err,
      /the stream ended; it is opened again\nthe stream is back\nlistening on a\nclosed: age\n/,
    )
    t.equal(tail.err.match(/it is opened again/g)?.length, 2, 'said once for each time it was lost')
  },
)

t.test('a server that does not want us back is left alone', async t => {
  let requests = 0
  const url = await startForeignServer(t, (_request, response) => {
    requests += 1
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end('event: close\ndata: {"reason":"forbidden","reconnect":false,"retryMs":0}\n\n')
  })
  const tail = new RunningCommand(t, ['tail', 'a', '--url', url], { env })
  t.equal(await tail.exit, 4)
  t.match(tail.err, 'the server closed the stream: forbidden')
  t.equal(requests, 1)
})

t.test(
  'stats --watch prints a line each second, and does without figures that a server does not have',
  async t => {
    const server = await startTestServer()
    t.teardown(() => server.close())
    const watch = new RunningCommand(t, ['stats', '--watch', '--url', server.url], { env })
    await watch.says(/STREAMS +POLLS.*\n.*\n.*\n/)
    t.match(watch.out, /^STREAMS {2}POLLS .*\n {6}0 {6}0 /)
    watch.interrupt()
    t.equal(await watch.exit, 0)
    const machines = new RunningCommand(t, ['stats', '--watch', '--json', '--url', server.url], { env })
    await machines.says(/\n/)
    t.match(JSON.parse(machines.out.split('\n')[0] ?? ''), { connections: { sse: 0 } })
    const other = await startForeignServer(t, (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"gaps":12}\n\n')
    })
    const poor = new RunningCommand(t, ['stats', '--watch', '--url', other], { env })
    await poor.says(/\n {6}- {6}- .* 12 +-\n/)
  },
)
