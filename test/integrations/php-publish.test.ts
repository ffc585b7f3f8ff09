import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { startReadServer } from '../helpers/read-server.js'
import { serviceKey, startTestServer } from '../helpers/server.js'
import { SseReader } from '../helpers/sse-reader.js'
import {
  accept,
  answer,
  forward,
  forwardAndCut,
  refuse,
  startUnreliableServer,
} from '../helpers/unreliable-server.js'
import { runPhp, script } from './php-process.js'

/** A deadline that only a failure meets, for scripts that are not about it. */
const patient = "'timeout' => 20,"

/** Prints a value as JSON, which is what tests look at. */
const say = (expression: string) => `echo json_encode(${expression}), "\\n";`

/** What the script said, line by line; nothing else may have been written anywhere. */
async function run(t: Test, url: string, code: string, options = patient): Promise<unknown[]> {
  const { code: exit, out, err } = await runPhp(t, script(url, code, options))
  t.equal(exit, 0)
  t.equal(err, '')
  const lines = out.split('\n').filter(line => line !== '')
  return lines.map(line => {
    try {
      return JSON.parse(line)
    } catch {
      throw new Error(`not what the script says: ${out}`)
    }
  })
}

t.test('messages are published at once and answered with their ids', async t => {
  const { server, reader } = await startReadServer(t)
  const [id, ids] = await run(
    t,
    server.url,
    `${say("$push->publish(array('channel' => 'a', 'data' => array('n' => 1.0, 's' => 'ä/\"')))")}
    ${say("$push->publishAll(array(array('channel' => 'a', 'data' => 2), array('channel' => 'a')))")}`,
  )
  t.match(await reader.next('message'), { id, data: { data: { n: 1, s: 'ä/"' } } })
  t.strictSame(await reader.messages(2), [2, null])
  t.ok(Array.isArray(ids) && ids.length === 2)
})

t.test('what was queued is sent when the script is over, in its order, by one call', async t => {
  const { server, reader } = await startReadServer(t)
  const proxy = await startUnreliableServer(t, forward(server.url))
  await run(
    t,
    proxy.url,
    `$data = array('likes' => 1);
    $push->enqueue(array('channel' => 'a', 'data' => $data));
    $data['likes'] = 2;
    register_shutdown_function(function () use ($push) {
      $push->enqueue(array('channel' => 'a', 'data' => 'by a function that runs at the end'));
    });
    $push->enqueue(array('channel' => 'a', 'data' => 'second'));`,
  )
  t.strictSame(await reader.messages(3), [{ likes: 1 }, 'second', 'by a function that runs at the end'])
  t.equal(proxy.received.length, 1)
})

t.test('a call whose answer is lost is repeated, and delivered once', async t => {
  const { server, reader } = await startReadServer(t)
  const proxy = await startUnreliableServer(t, forwardAndCut(server.url), forward(server.url))
  const [id, flushed] = await run(
    t,
    proxy.url,
    `${say("$push->publish(array('channel' => 'a', 'data' => 1))")}
    $push->enqueue(array('channel' => 'a', 'data' => 'end'));
    ${say('$push->flush()')}`,
  )
  t.match(await reader.next('message'), { id, data: { data: 1 } })
  t.strictSame(await reader.messages(1), ['end'])
  t.strictSame(flushed, { sent: 1, dropped: 0, error: null })
  t.equal(proxy.received.length, 3)
  t.equal(proxy.received[0]?.body, proxy.received[1]?.body)
})

t.test('a message that is refused does not keep the others from going', async t => {
  const { server, reader } = await startReadServer(t)
  const drops = `'on_drop' => function ($message, $reason, $error) {
    echo json_encode(array($message['data'], $reason, $error->getStatus())), "\\n";
  },`
  const said = await run(
    t,
    server.url,
    `foreach (array(1, 2, 3) as $data) {
      $push->enqueue($data === 2 ? array('data' => $data) : array('channel' => 'a', 'data' => $data));
    }
    ${say("array_intersect_key($push->flush(), array('sent' => 0, 'dropped' => 0))")}`,
    patient + drops,
  )
  t.strictSame(said, [[2, 'refused', 400], { sent: 2, dropped: 1 }])
  t.strictSame(await reader.messages(2), [1, 3])
})

t.test('calls that are too large for what stands before the server are made smaller', async t => {
  const server = await startUnreliableServer(
    t,
    answer(413, '<html>nginx'),
    answer(413, '<html>nginx'),
    accept,
  )
  await run(
    t,
    server.url,
    `for ($i = 1; $i <= 5; $i++) $push->enqueue(array('channel' => 'a', 'data' => $i));`,
  )
  const sizes = server.received.map(({ body }) => JSON.parse(body).length)
  t.strictSame(sizes, [5, 2, 1, 1, 1, 1, 1])
})

t.test('a call carries at most 1,000 messages; a large one arrives whole', async t => {
  const server = await startUnreliableServer(t, accept)
  await run(
    t,
    server.url,
    `for ($i = 0; $i < 1001; $i++) $push->enqueue(array('channel' => 'a', 'data' => str_repeat('x', 3000)));
    ${say('$push->flush()')}`,
    `${patient} 'queue_messages' => 5000,`,
  )
  const sizes = server.received.map(({ body }) => JSON.parse(body).length)
  t.strictSame(sizes, [1_000, 1])
})

t.test('the queue is bounded, and the oldest go first', async t => {
  const server = await startUnreliableServer(t, accept)
  const said = await run(
    t,
    server.url,
    `for ($i = 1; $i <= 5; $i++) $push->enqueue(array('channel' => 'a', 'data' => $i));`,
    `${patient} 'queue_messages' => 3, 'on_drop' => function ($message, $reason) {
      echo json_encode(array($message['data'], $reason)), "\\n";
    },`,
  )
  t.strictSame(said, [
    [1, 'full'],
    [2, 'full'],
  ])
  t.strictSame(
    JSON.parse(server.received[0]?.body ?? '').map(({ data }: { data: unknown }) => data),
    [3, 4, 5],
  )
})

t.test('what is queued for a change that was rolled back can be forgotten', async t => {
  const server = await startUnreliableServer(t, accept)
  await run(t, server.url, `$push->enqueue(array('channel' => 'a')); $push->clear();`)
  t.equal(server.received.length, 0)
})

t.test('publish says what was wrong, and repeats what is transient once', async t => {
  const tryIt = `try { $push->publish(array('channel' => 'a')); } catch (\\Downpipe\\DownpipeException $e) {
    ${say('array($e->getErrorCode(), $e->getStatus(), $e->isTransient())')}
  }`
  const cases = [
    [refuse(401, 'DOWNPIPE_SERVICE_KEY_REQUIRED'), ['DOWNPIPE_SERVICE_KEY_REQUIRED', 401, false], 1],
    [refuse(503, 'DOWNPIPE_BUSY'), ['DOWNPIPE_BUSY', 503, true], 2],
    [answer(200, '<html>'), ['DOWNPIPE_BAD_ANSWER', 200, false], 1],
    [answer(200, { nothing: 1 }), ['DOWNPIPE_BAD_ANSWER', 200, false], 1],
    [answer(502, '<html>'), ['DOWNPIPE_BAD_ANSWER', 502, true], 2],
    [answer(302, '', { location: '/' }), ['DOWNPIPE_BAD_ANSWER', 302, false], 1],
  ] as const
  for (const [conduct, expected, calls] of cases) {
    const server = await startUnreliableServer(t, conduct)
    t.strictSame(await run(t, server.url, tryIt), [expected])
    t.equal(server.received.length, calls, expected[0])
  }
})

t.test('kick, logout and cursor', async t => {
  const { server } = await startReadServer(t)
  server.cms.identities.set('t5', { uid: '5', channels: ['a'] })
  server.cms.identities.set('t6', { uid: '6', channels: ['a'] })
  const kicked = new SseReader(server.url, { token: 't5' })
  const leaving = new SseReader(server.url, { token: 't6' })
  t.teardown(() => {
    kicked.close()
    leaving.close()
  })
  await Promise.all([kicked.next('ready'), leaving.next('ready')])
  const said = await run(
    t,
    server.url,
    `${say('$push->cursor()')} ${say('$push->kick(5)')} ${say("$push->logout('t6')")} ${say('$push->lastError()')}`,
  )
  t.match(said, [/^\d{13}-\d+$/, true, true, ''])
  t.match(await kicked.next('close'), { data: { reason: 'kick' } })
  t.match(await leaving.next('close'), { data: { reason: 'logout' } })
})

t.test('a Unix socket, a path prefix and a site are addressed', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'downpipe-php-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const server = await startTestServer({ listen: [{ path: join(folder, 's') }] })
  t.teardown(() => server.close())
  const publish = say("$push->publish(array('channel' => 'a'))")
  t.match(await run(t, `unix:${folder}/s`, publish), [/-1$/])
  const fake = await startUnreliableServer(t, accept)
  await run(t, `${fake.url}/push/`, publish, "'site' => 'a b',")
  t.equal(fake.received[0]?.path, '/push/sites/a%20b/v1/publish')
})

t.test('tokens and grants are JWTs that others can read', async t => {
  const secret = 'a-secret-of-thirty-two-bytes-or-more'
  const options = `'jwt_secret' => '${secret}', 'grant_secret' => '${secret}',`
  const [token, grant] = await run(
    t,
    'http://127.0.0.1:1',
    `${say("$push->token(5, array('news', 'ü'), 60, array('info' => array('name' => 'Ada')))")}
    ${say("$push->grant(array('node_17'), 60, 5)")}`,
    options,
  )
  const key = new TextEncoder().encode(secret)
  const read = await jwtVerify(String(token), key, { algorithms: ['HS256'], typ: 'JWT' })
  t.match(read.payload, { sub: '5', channels: ['news', 'ü'], info: { name: 'Ada' }, exp: Number })
  const granted = await jwtVerify(String(grant), key, { typ: 'downpipe-grant+jwt', audience: 'default' })
  t.match(granted.payload, { channels: ['node_17'], uid: '5' })
  t.equal(Number(granted.payload.exp) - Number(granted.payload.iat), 60)
})

t.test('the key is in no exception, dump or text', async t => {
  const echo = refuse(400, 'X', { message: `Authorization: Bearer ${serviceKey}` })
  const server = await startUnreliableServer(t, echo)
  const { out, err } = await runPhp(
    t,
    script(
      server.url,
      `try { $push->publish(array('channel' => 'a')); } catch (\\Exception $e) { print_r($e->getTrace()); echo $e; }
      var_dump($push); print_r($push);
      $push->logout('the-token-of-somebody');
      echo $push->lastError();
      try { new \\Downpipe\\Downpipe(array('url' => 'http://x/?' . '${serviceKey}', 'key' => 'k')); }
      catch (\\Exception $e) { echo $e->getMessage(); }
      throw new \\Downpipe\\DownpipeException('X', 'the end');`,
      patient,
    ),
    '-d',
    'zend.exception_ignore_args=0',
  )
  t.match(out, /the end/)
  t.notMatch(out + err, serviceKey)
  t.notMatch(out + err, 'the-token-of-somebody')
})
