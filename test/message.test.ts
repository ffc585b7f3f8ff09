import t from 'tap'
import { channelNameProblem, matchesPattern, parseMessages, routingKey } from '../src/message.js'

const limits = { maxDataBytes: 1_000, maxMessages: 3, maxChannelBytes: 20 }
const { channel, uid } = routingKey

/** What publishing the body comes to: the error's code and sentence, or that it was taken. */
function refusal(body: unknown): string {
  try {
    parseMessages(body, limits)
    return 'taken'
  } catch (error) {
    return error instanceof Error && 'code' in error ? `${error.code}: ${error.message}` : String(error)
  }
}

/** The first message of a body. */
function parsed(body: unknown) {
  const [message] = parseMessages(body, limits)
  if (message === undefined) throw new Error('no message')
  return message
}

t.test('a bad body is refused with what is wrong, and where', async t => {
  const word = 'must not have more than 200 characters'
  const integer = 'must be string, or must be integer'
  const oneOf = 'give one of channel, channels, uid, uids, broadcast'
  // The bodies are text, because only a text can hold an own field called __proto__.
  const cases: readonly (readonly [string, string])[] = [
    ['null', 'body: a message is a JSON object'],
    ['5', 'body: a message is a JSON object'],
    ['"news"', 'body: a message is a JSON object'],
    ['true', 'body: a message is a JSON object'],
    ['[]', 'body: an array must hold at least one message'],
    ['[[]]', 'body[0]: a message is a JSON object'],
    ['[{"channel":"a"},null]', 'body[1]: a message is a JSON object'],
    ['{}', `body: no target; ${oneOf}`],
    ['{"data":1}', `body: no target; ${oneOf}`],
    ['[{"channel":"a"},{"data":1}]', `body[1]: no target; ${oneOf}`],
    ['{"channel":"a","channels":["b"]}', `body: more than one target; ${oneOf}`],
    ['{"channels":["a"],"uid":"5"}', `body: more than one target; ${oneOf}`],
    ['{"channels":["a"],"broadcast":true}', `body: more than one target; ${oneOf}`],
    ['{"uid":"5","uids":["7"]}', `body: more than one target; ${oneOf}`],
    ['{"uid":"5","broadcast":true}', `body: more than one target; ${oneOf}`],
    ['{"uids":["5"],"broadcast":true,"channel":"a"}', `body: more than one target; ${oneOf}`],
    ['{"channel":"a","user":"5"}', 'body: unknown field "user"'],
    ['{"channel":"a","Channel":"b"}', 'body: unknown field "Channel"'],
    ['{"channel":"a","__proto__":{"uid":"5"}}', 'body: unknown field "__proto__"'],
    ['{"channel":"a","constructor":1}', 'body: unknown field "constructor"'],
    ['{"channel":"a","toString":1}', 'body: unknown field "toString"'],
    ['{"channel":"a","hasOwnProperty":1}', 'body: unknown field "hasOwnProperty"'],
    ['{"channel":"a","\\u0000\\n":1}', 'body: unknown field "\\u0000\\n"'],
    [`{"${'x'.repeat(5_000)}":1}`, `body: unknown field "${'x'.repeat(100)}"`],
    ['{"channel":null}', 'body.channel: must be string'],
    ['{"channel":5}', 'body.channel: must be string'],
    ['{"channel":["a"]}', 'body.channel: must be string'],
    ['{"channel":""}', 'body.channel: a channel name must not be empty'],
    ['{"channel":"a\\nb"}', 'body.channel: a channel name must not hold control characters'],
    ['{"channel":"news*"}', 'body.channel: a channel name must not end in *'],
    ['{"channel":"ääääääääääx"}', 'body.channel: a channel name is at most 20 bytes'],
    ['{"channel":"a\\u0000","uid":"5"}', 'body.channel: a channel name must not hold control characters'],
    ['{"channels":"a"}', 'body.channels: must be array'],
    ['{"channels":[]}', 'body.channels: must not have fewer than 1 items'],
    ['{"channels":["a",5]}', 'body.channels[1]: must be string'],
    ['{"channels":["a",""]}', 'body.channels[1]: a channel name must not be empty'],
    [
      `{"channels":${JSON.stringify(Array(101).fill('a'))}}`,
      'body.channels: must not have more than 100 items',
    ],
    ['{"uid":null}', `body.uid: ${integer}`],
    ['{"uid":true}', `body.uid: ${integer}`],
    ['{"uid":1.5}', `body.uid: ${integer}`],
    ['{"uid":""}', 'body.uid: must not have fewer than 1 characters, or must be integer'],
    [`{"uid":"${'x'.repeat(201)}"}`, `body.uid: ${word}, or must be integer`],
    [`{"uid":"e${'\u0301'.repeat(300)}"}`, `body.uid: ${word}, or must be integer`],
    ['{"uids":[]}', 'body.uids: must not have fewer than 1 items'],
    ['{"uids":["5",{}]}', `body.uids[1]: ${integer}`],
    [`{"uids":${JSON.stringify(Array(1_001).fill(5))}}`, 'body.uids: must not have more than 1000 items'],
    ['{"broadcast":false}', 'body.broadcast: must be true'],
    ['{"broadcast":1}', 'body.broadcast: must be boolean, or must be true'],
    [
      '{"channel":"a","callback":""}',
      'body.callback: must not have fewer than 1 characters, or must be array',
    ],
    ['{"channel":"a","callback":[]}', 'body.callback: must be string, or must not have fewer than 1 items'],
    ['{"channel":"a","callback":["b",5]}', 'body.callback[1]: must be string'],
    ['{"channel":"a","callback":{}}', 'body.callback: must be string, or must be array'],
    ['{"channel":"a","type":""}', 'body.type: must not have fewer than 1 characters'],
    [`{"channel":"a","except":"${'x'.repeat(201)}"}`, `body.except: ${word}`],
    ['{"channel":"a","ttl":-1}', 'body.ttl: must be >= 0'],
    ['{"channel":"a","ttl":0.5}', 'body.ttl: must be integer'],
    ['{"channel":"a","ttl":"60"}', 'body.ttl: must be integer'],
    ['{"channel":"a","ttl":1e9}', 'body.ttl: must be <= 31536000'],
    ['{"channel":"a","idempotencyKey":""}', 'body.idempotencyKey: must not have fewer than 1 characters'],
    ['{"channel":"a","idempotencyKey":5}', 'body.idempotencyKey: must be string'],
  ]
  for (const [body, problem] of cases) {
    t.equal(refusal(JSON.parse(body)), `DOWNPIPE_INVALID_REQUEST: ${problem}`, body.slice(0, 60))
  }
})

t.test('an integer that JSON does not tell from its neighbour is nobody’s id', async t => {
  // 9007199254740993 is read as …992: the message would go to another user.
  for (const id of ['9007199254740993', '-9007199254740993', '1e21']) {
    t.match(refusal(JSON.parse(`{"uid":${id}}`)), /^DOWNPIPE_INVALID_REQUEST: body\.uid: must be string, or/)
    t.match(refusal(JSON.parse(`{"uids":["5",${id}]}`)), /body\.uids\[1\]: must be string, or/)
  }
  t.strictSame(parsed({ uid: '9007199254740993' }).keys, [uid('9007199254740993')])
  t.strictSame(parsed({ uid: Number.MAX_SAFE_INTEGER }).keys, [uid('9007199254740991')])
})

t.test('data that is nested too deeply is refused, and is not a fault of ours', async t => {
  const depth = 200_000
  const body = JSON.parse(`[{"channel":"a"},{"channel":"a","data":${'['.repeat(depth)}${']'.repeat(depth)}}]`)
  t.equal(refusal(body), 'DOWNPIPE_INVALID_REQUEST: body[1].data: nested too deeply')
})

t.test('what is too large is told apart from what is wrong', async t => {
  const data = 'x'.repeat(998)
  t.equal(refusal({ channel: 'a', data }), 'taken')
  t.equal(
    refusal({ channel: 'a', data: `${data}x` }),
    'DOWNPIPE_TOO_LARGE: body.data: at most 1000 bytes as JSON',
  )
  t.equal(
    refusal([{ channel: 'a' }, { channel: 'a', data: 'ü'.repeat(500) }]),
    'DOWNPIPE_TOO_LARGE: body[1].data: at most 1000 bytes as JSON',
    'bytes count, not characters',
  )
  t.equal(refusal(Array(3).fill({ channel: 'a' })), 'taken')
  t.equal(
    refusal(Array(4).fill({ channel: 'a' })),
    'DOWNPIPE_TOO_LARGE: body: 4 messages; at most 3 in one call',
  )
})

t.test('one bad message, and the whole batch is refused', async t => {
  t.match(refusal([{ channel: 'a' }, { channel: 'a' }, { channel: '' }]), /body\[2\]\.channel/)
})

t.test('each target becomes the keys of those whom it reaches, each once', async t => {
  t.strictSame(parsed({ channel: 'a' }).keys, [channel('a')])
  t.strictSame(parsed({ channels: ['a', 'b', 'a'] }).keys, [channel('a'), channel('b')])
  t.strictSame(parsed({ uid: 'a' }).keys, [uid('a')])
  t.strictSame(parsed({ uid: 5 }).keys, parsed({ uid: '5' }).keys)
  t.strictSame(parsed({ uids: [5, '7', '5', -0] }).keys, [uid('5'), uid('7'), uid('0')])
  t.strictSame(parsed({ broadcast: true }).keys, [routingKey.broadcast])
  t.not(uid('a'), channel('a'))
  t.not(channel('*'), routingKey.broadcast)
})

t.test('a channel beside users or a broadcast is a label, and reaches nobody by itself', async t => {
  for (const target of [{ uid: '5' }, { uids: ['5'] }, { broadcast: true }]) {
    const { keys, json } = parsed({ channel: 'comments', ...target })
    t.notOk(keys.includes(channel('comments')))
    t.strictSame(JSON.parse(json), { channel: 'comments', data: null })
  }
})

t.test('the page gets what it needs, and nothing about whom else the message is for', async t => {
  const all = { data: { title: '…' }, callback: ['one', 'two'], type: 'html', except: 'page-1' }
  const secret = { ttl: 60, idempotencyKey: 'key' }
  t.strictSame(JSON.parse(parsed({ channel: 'a', ...all, ...secret }).json), { channel: 'a', ...all })
  t.strictSame(JSON.parse(parsed({ channels: ['a', 'b'], ...all }).json), { channels: ['a', 'b'], ...all })
  t.strictSame(JSON.parse(parsed({ uids: ['5', '7'], ...all }).json), all)
  t.strictSame(
    JSON.parse(parsed({ channel: 'a' }).json),
    { channel: 'a', data: null },
    'data is always there',
  )
})

t.test('data is passed on as it is, whatever its fields are called', async t => {
  const data = '{"__proto__":{"admin":true},"constructor":{"prototype":{}},"toJSON":1,"":[null,false,0]}'
  const { json } = parsed(JSON.parse(`{"channel":"a","data":${data}}`))
  t.equal(json, `{"channel":"a","data":${data}}`)
  t.equal(Object.getPrototypeOf(parsed({ channel: 'a', data: JSON.parse(data) })), Object.prototype)
  t.notOk('admin' in {})
  for (const falsy of [null, false, 0, '', []]) {
    t.strictSame(JSON.parse(parsed({ channel: 'a', data: falsy }).json).data, falsy)
  }
})

t.test('a ttl is kept in milliseconds; 0 is not the same as none', async t => {
  t.equal(parsed({ channel: 'a', ttl: 60 }).ttlMs, 60_000)
  t.equal(parsed({ channel: 'a', ttl: 0 }).ttlMs, 0)
  t.notOk('ttlMs' in parsed({ channel: 'a' }))
})

t.test('messages with the same key are the same if everything about them is', async t => {
  const base = { channel: 'a', data: [1], callback: 'c', type: 't', except: 'e', ttl: 5 }
  const fingerprint = (body: object) => parsed({ ...body, idempotencyKey: 'k' }).idempotency?.fingerprint
  t.equal(fingerprint(base), fingerprint({ ...base }))
  t.strictSame(parsed({ ...base, idempotencyKey: 'k' }).idempotency?.key, 'k')
  const others = [
    { ...base, channel: 'b' },
    { ...base, data: [2] },
    { ...base, callback: 'd' },
    { ...base, type: 'u' },
    { ...base, except: 'f' },
    { ...base, ttl: 0 },
    { ...base, uid: '5' },
    { ...base, uid: '7' },
    { ...base, broadcast: true },
    { channel: 'a' },
  ]
  const all = [base, ...others].map(fingerprint)
  t.equal(new Set(all).size, all.length)
  t.notOk('idempotency' in parsed(base))
})

t.test('a channel name is 1 to so many bytes, without control characters or a star at its end', async t => {
  for (const name of ['a', ' ', 'user_5', 'ä ö', 'a*b', '😀', '\u2028', '__proto__', 'x'.repeat(20)]) {
    t.equal(channelNameProblem(name, 20), undefined, Buffer.from(name).toString('hex'))
  }
  for (const name of ['', 'a\r', '\n', '\0', '\u001b[0m', '\u007f', '\u0085', '*', 'a*', '😀'.repeat(6)]) {
    t.type(channelNameProblem(name, 20), 'string', Buffer.from(name).toString('hex'))
  }
})

t.test('a pattern is a name, or a prefix with one star behind it', async t => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['news', 'news', true],
    ['news', 'news_1', false],
    ['news', 'new', false],
    ['public_*', 'public_node', true],
    ['public_*', 'public_', true],
    ['public_*', 'public', false],
    ['public_*', 'PUBLIC_node', false],
    ['*', 'anything', true],
    ['a*b*', 'a*b', true],
    ['a*b*', 'axb', false],
    ['', '', true],
    ['', 'news', false],
  ]
  for (const [pattern, name, isMatch] of cases) {
    t.equal(matchesPattern(pattern, name), isMatch, `${pattern} and ${name}`)
  }
})
