import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { until } from '../helpers/calls.js'
import { deadUrl, listen } from '../helpers/listening.js'
import { deadlineMs } from '../helpers/reader.js'
import {
  accept,
  answer,
  cut,
  hang,
  refuse,
  startUnreliableServer,
  type UnreliableServer,
} from '../helpers/unreliable-server.js'
import { runPhp, script, servePhp } from './php-process.js'

/** Saves, as a CMS does them: whatever happens, the page must say `saved` and nothing else. */
const shortSave = `
$push->enqueue(array('channel' => 'node_17', 'data' => array('likes' => 4)));
$push->enqueue(array('channel' => 'node_18', 'data' => array('likes' => 5)));
echo 'saved';
`
const save = `
$push->enqueue(array('channel' => 'node_17', 'data' => array('likes' => 4)));
$push->enqueue(array('channel' => 'node_18', 'data' => array('likes' => 5)));
$push->kick(5);
$push->logout('token');
$since = $push->cursor();
echo preg_match('/^\\\\d{13}(-\\\\d+)?$/', $since) ? 'saved' : $since;
`

/** A server that takes connections and reads nothing from them. */
async function startDeafServer(t: Test): Promise<string> {
  const server = createServer({ pauseOnConnect: true }, socket => {
    t.teardown(() => socket.destroy())
  })
  const port = await listen(server)
  t.teardown(() => server.close())
  return `http://127.0.0.1:${port}`
}

t.test('whatever is wrong with the server, the save prints what it would print without it', async t => {
  const trickle = (_: unknown, response: { write(text: string): unknown }) => {
    const timer = setInterval(() => response.write(' '), 20)
    t.teardown(() => clearInterval(timer))
  }
  const conducts = {
    'it hangs': hang,
    'it ends the connection': cut,
    'it is busy': refuse(503, 'DOWNPIPE_BUSY', {}, { 'retry-after': '60' }),
    'it refuses the key': refuse(401, 'DOWNPIPE_SERVICE_KEY_REQUIRED'),
    'something else answers': answer(200, '<html>Welcome'),
    'something else fails': answer(500, '<html>Fatal error'),
    'its answer trickles': trickle,
    'its answer is JSON of another form': answer(200, '"ok"'),
    'its answer has no end': answer(200, 'x'.repeat(2_000_000)),
  }
  const servers = await Promise.all(
    Object.entries(conducts).map(async ([name, conduct]) => [
      name,
      (await startUnreliableServer(t, conduct)).url,
    ]),
  )
  const urls = [
    ...servers,
    ['nobody listens', await deadUrl()],
    ['it reads nothing', await startDeafServer(t)],
    ['there is no such socket', 'unix:/nowhere/downpipe.sock'],
  ]
  for (const [name = '', url = ''] of urls) {
    for (const code of [shortSave, save]) {
      const { out, err, ...ended } = await runPhp(t, script(url, code, "'timeout' => 0.3,"))
      t.strictSame({ out, code: ended.code }, { out: 'saved', code: 0 }, name)
      t.match(
        err.trim(),
        /^Downpipe: 2 messages were given up \((unsent|refused): .*\)$/,
        `${name}: one line in the log`,
      )
    }
  }
})

t.test('nor does a handler that makes exceptions of warnings change that', async t => {
  const handler = `set_error_handler(function ($severity, $text) { throw new \\ErrorException($text, 0, $severity); });`
  const { code, out } = await runPhp(t, script(await deadUrl(), handler + save))
  t.strictSame({ code, out }, { code: 0, out: 'saved' })
  const kept = `${handler} $push->flush(); $push->cursor();
    try { echo $undefined; } catch (\\ErrorException $e) { echo 'still theirs'; }`
  t.equal((await runPhp(t, script(await deadUrl(), kept))).out, 'still theirs')
})

t.test('a server that does not read holds up nobody for longer than the time-out', async t => {
  const large = `for ($i = 0; $i < 50; $i++) $push->enqueue(array('channel' => 'a', 'data' => str_repeat('x', 150000)));
    $begin = microtime(true);
    $push->flush();
    echo microtime(true) - $begin;`
  const { out } = await runPhp(t, script(await startDeafServer(t), large, "'timeout' => 0.5,"))
  const seconds = Number(out)
  t.ok(seconds >= 0.4, `it was tried: ${out}`)
  t.ok(seconds < deadlineMs / 1_000, `it took ${out} s`)
})

t.test('after a failure the other calls of the page are not even tried', async t => {
  const server = await startUnreliableServer(t, hang)
  const { out } = await runPhp(
    t,
    script(
      server.url,
      `for ($i = 0; $i < 20; $i++) $push->kick($i);
      echo $push->lastError();`,
      "'timeout' => 0.3,",
    ),
  )
  t.equal(server.received.length, 1)
  t.match(out, /^DOWNPIPE_CIRCUIT_OPEN: /)
})

t.test('enqueue throws for nothing', async t => {
  const { out, err, code } = await runPhp(
    t,
    script(
      await deadUrl(),
      `$loop = array(); $loop['self'] = &$loop;
      $push->enqueue(array('channel' => 'a', 'data' => $loop));
      $push->enqueue(array('channel' => 'a', 'data' => NAN));
      $push->enqueue(array('channel' => 'a', 'data' => fopen('php://memory', 'r')));
      class Thrower implements \\JsonSerializable {
        #[\\ReturnTypeWillChange]
        public function jsonSerialize() { throw new \\Exception('no'); }
      }
      $push->enqueue(array('channel' => 'a', 'data' => new Thrower()));
      $push->enqueue(array());
      echo 'saved';`,
      "'on_drop' => function ($message, $reason) { echo $reason, ' '; throw new \\Exception('from on_drop'); },",
    ),
  )
  t.equal(code, 0)
  t.equal(out, 'not-json not-json not-json not-json savedunsent ')
  t.match(err, /on_drop threw Exception/)
})

t.test('text that is not UTF-8 is sent as well as it can be', async t => {
  const server = await startUnreliableServer(t, accept)
  await runPhp(t, script(server.url, `$push->enqueue(array('channel' => 'a', 'data' => "caf\\xe9"));`))
  t.match(server.received[0]?.body, /"data":"caf\ufffd"/)
})

t.test('the page is there before the push server has answered', async t => {
  let answerIt = () => {}
  const seen = new Promise<void>(resolve => {
    answerIt = resolve
  })
  let isGivenUp = false
  const server = await startUnreliableServer(t, async (received, response) => {
    response.once('close', () => {
      isGivenUp = !response.writableFinished
    })
    await seen
    accept(received, response)
  })
  const page = `$push->enqueue(array('channel' => 'a')); ob_start(); echo 'saved';`
  const url = await servePhp(t, script(server.url, page, "'timeout' => 10,"))
  const response = await fetch(url)
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  t.equal((await reader?.read())?.value, 'saved')
  await until('the call', () => server.received.length === 1)
  t.notOk(isGivenUp, 'PHP still waits for the answer')
  answerIt()
  t.equal((await reader?.read())?.done, true, 'and nothing else is on the page')
  t.equal(server.received.length, 1)
})

t.test('a page is whole and clean when the push server hangs', async t => {
  const server: UnreliableServer = await startUnreliableServer(t, hang)
  const url = await servePhp(t, script(server.url, save, "'timeout' => 0.3,"))
  const response = await fetch(url, { signal: AbortSignal.timeout(deadlineMs) })
  t.equal(response.status, 200)
  t.equal(await response.text(), 'saved')
})

t.test('where PHP can end the response, it is ended first, and the session with it', async t => {
  const server = await startUnreliableServer(t, accept)
  const { out } = await runPhp(
    t,
    script(
      server.url,
      `function fastcgi_finish_request() {
        echo session_status() === PHP_SESSION_ACTIVE ? 'session open ' : 'session closed ';
        echo 'response ended ';
      }
      ini_set('session.use_cookies', '0'); ini_set('session.cache_limiter', '');
      session_save_path(sys_get_temp_dir());
      session_start();
      register_shutdown_function(function () { session_destroy(); });
      $push->enqueue(array('channel' => 'a'));
      register_shutdown_function(function () { echo 'others '; session_start(); });
      echo 'page ';`,
      "'timeout' => 20,",
    ),
  )
  t.equal(out, 'page others session closed response ended ')
  t.equal(server.received.length, 1)
})
