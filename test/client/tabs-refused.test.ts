import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { launchBrowserOfPeople } from '../helpers/chromium.js'
import { buildScripts } from './browser.js'
import { startFakeServer } from './fake-server.js'
import { Queue } from './queue.js'

const scripts = t.testdir()
const [context] = await Promise.all([launchBrowserOfPeople(t), buildScripts(scripts)])

const tab = `<!doctype html><title>Tab</title><script src="/downpipe.js"></script><script>
  Downpipe.connect('', {
    share: 'everybody',
    channels: [location.search.slice(1)],
    onmessage: function (data) { console.log('say ' + data) },
  })
</script>`

t.test(
  'a tab whose channels are refused together with others’ polls by itself, and nobody insists',
  async t => {
    const server = await startFakeServer(scripts, { '/tab': tab })
    t.teardown(() => server.close())
    const said = new Queue<string>()
    const open = async (channel: string) => {
      const page = await context.newPage()
      t.teardown(() => page.close())
      page.on('console', line => {
        if (line.text().startsWith('say ')) said.push(`${channel}: ${line.text().slice(4)}`)
      })
      await page.goto(`${server.url}/tab?${channel}`)
    }
    await open('a')
    const first = await server.streams.next('a stream')
    first.ready('1-1', ['a'])
    await open('b')
    const both = await server.streams.next('a stream for both')
    t.strictSame(both.query.getAll('channel').sort(), ['a', 'b'])
    both.refuse(403, 'DOWNPIPE_CHANNEL_FORBIDDEN', 'Not together', { channel: 'b' })
    const why = await server.polls.next('the question why')
    why.refuse(403, 'DOWNPIPE_CHANNEL_FORBIDDEN', 'Not together', { channel: 'b' })
    const again = await server.streams.next('the first stream, again')
    t.strictSame(again.query.getAll('channel'), ['a'])
    again.ready('1-1', ['a'])
    const alone = await server.polls.next('a poll')
    t.strictSame(alone.query.getAll('channel'), ['b'])
    const ready = { uid: '5', channels: ['b'], heartbeat: 25, v: 'v1', presence: [], refused: [] }
    alone.answer({ cursor: '1-2', ready, messages: [{ id: '1-2', channel: 'b', data: 'two' }] })
    t.equal(await said.next('the message'), 'b: two')
    again.message('1-3', { channel: 'a', data: 'three' })
    t.equal(await said.next('the message'), 'a: three')
    await server.polls.next('another poll')
    await pause(500)
    t.equal(server.paths.length, 6, 'three streams, the question why, two polls')
  },
)
