import t from 'tap'
import type { Question } from '../helpers/cms.js'
import { begin, isUnavailable, json, serviceKey, token } from '../helpers/http-verifier.js'
import { caller } from '../helpers/verifier.js'

t.test(
  'the CMS is asked by POST, with the service key, about the token, the address and the browser',
  async t => {
    const { cms, verifier } = await begin(t)
    const questions: Question[] = []
    cms.answer = (_token, response, request, question) => {
      questions.push(question)
      t.match(request, {
        method: 'POST',
        url: '/auth',
        headers: {
          authorization: `Bearer ${serviceKey}`,
          'content-type': 'application/json',
          accept: 'application/json',
        },
      })
      response.end('{"uid":"5"}')
    }
    await verifier.verify('ünï 😀', caller)
    await verifier.verify(token, { ip: '2001:db8::1', userAgent: undefined })
    t.strictSame(questions, [
      { token: 'ünï 😀', ip: '192.0.2.1', userAgent: 'a browser' },
      { token, ip: '2001:db8::1' },
    ])
  },
)

t.test('200 is an identity; what is left out has a default', async t => {
  const { cms, verifier } = await begin(t)
  const given = {
    uid: '5',
    channels: ['news', 'public_*', '*'],
    visibleTo: ['7', '8'],
    expiresIn: 60.5,
    info: { name: 'Ünï', __roles: [] },
  }
  const empty = { channels: [], visibleTo: [], info: undefined, expiresIn: 3_600 }
  const cases: readonly (readonly [unknown, unknown])[] = [
    [given, given],
    [{ uid: '5' }, { uid: '5', ...empty }],
    [
      { uid: 5, visibleTo: [7, '8'] },
      { uid: '5', ...empty, visibleTo: ['7', '8'] },
    ],
    [
      { uid: null, channels: ['news'] },
      { uid: null, ...empty, channels: ['news'] },
    ],
    [
      { uid: '5', roles: ['more than we know'] },
      { uid: '5', ...empty },
    ],
  ]
  for (const [answer, identity] of cases) {
    cms.answer = json(answer)
    t.strictSame(await verifier.verify(token, caller), identity)
  }
})

t.test('401 and 403 are a refusal, whatever page comes with it', async t => {
  const { cms, verifier } = await begin(t)
  for (const status of [401, 403]) {
    for (const body of ['', '{}', '{"uid":"5"}', '<html>Access denied'.padEnd(100_000)]) {
      cms.answer = (_token, response) => {
        response.statusCode = status
        response.end(body)
      }
      t.equal(await verifier.verify(token, caller), undefined)
    }
  }
})

t.test('any other status says nothing about the token', async t => {
  const { cms, verifier } = await begin(t)
  for (const status of [201, 204, 400, 404, 429, 500, 503]) {
    cms.answer = (_token, response) => {
      response.statusCode = status
      response.end(status === 204 ? '' : '{"uid":"5"}')
    }
    await isUnavailable(t, verifier, `the auth URL answered ${status}; 200, 401 or 403 was expected`)
  }
})

t.test('a redirect is not followed: the token is for the auth URL alone', async t => {
  const { cms, verifier } = await begin(t)
  for (const status of [301, 302, 303, 307, 308]) {
    cms.answer = (_token, response) => {
      response.writeHead(status, { location: `${cms.url}?login` }).end()
    }
    await isUnavailable(
      t,
      verifier,
      `the auth URL answered with a redirect (${status}); it must answer itself`,
    )
  }
  t.equal(cms.asked.length, 5)
})

t.test('what is not JSON is said to be something else, by the type that it claims', async t => {
  const { cms, verifier } = await begin(t)
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['<!DOCTYPE html><title>Log in</title>', 'text/html; charset=utf-8'],
    ['', undefined],
    ['Warning: mysqli::__construct() in db.php\n{"uid":"5"}', 'application/json'],
    ['{"uid":"5"', 'application/json'],
    ['\0\u0001\ufffd', 'application/octet-stream'],
  ]
  for (const [body, type] of cases) {
    cms.answer = (_token, response) => {
      if (type !== undefined) response.setHeader('content-type', type)
      response.end(body)
    }
    await isUnavailable(
      t,
      verifier,
      `the auth URL answered 200 with something that is not JSON (Content-Type: ${type ?? 'none'})`,
    )
  }
})

t.test('JSON of a wrong shape is named with its place', async t => {
  const { cms, verifier } = await begin(t)
  const uid = 'must be string, or must be integer, or must be null'
  const cases: readonly (readonly [string, string])[] = [
    ['null', 'answer: must be object'],
    ['[]', 'answer: must be object'],
    ['"5"', 'answer: must be object'],
    ['5', 'answer: must be object'],
    ['true', 'answer: must be object'],
    ['{}', 'answer: must have required properties uid'],
    ['{"error":"no such session"}', 'answer: must have required properties uid'],
    ['{"uid":{}}', `answer.uid: ${uid}`],
    ['{"uid":false}', `answer.uid: ${uid}`],
    ['{"uid":5.5}', `answer.uid: ${uid}`],
    ['{"uid":""}', 'answer.uid: must not have fewer than 1 characters, or must be integer, or must be null'],
    ['{"uid":"5","channels":"news"}', 'answer.channels: must be array'],
    ['{"uid":"5","channels":{"0":"news"}}', 'answer.channels: must be array'],
    ['{"uid":"5","channels":["news",5]}', 'answer.channels[1]: must be string'],
    ['{"uid":"5","channels":["news",""]}', 'answer.channels[1]: a channel name must not be empty'],
    [
      '{"uid":"5","channels":["a\\n"]}',
      'answer.channels[0]: a channel name must not hold control characters',
    ],
    [
      '{"uid":"5","channels":["a\\n*"]}',
      'answer.channels[0]: a channel name must not hold control characters',
    ],
    ['{"uid":"5","channels":["a**"]}', 'answer.channels[0]: a channel name must not end in *'],
    [
      `{"uid":"5","channels":["${'a'.repeat(21)}"]}`,
      'answer.channels[0]: a channel name is at most 20 bytes',
    ],
    ['{"uid":"5","visibleTo":"7"}', 'answer.visibleTo: must be array'],
    ['{"uid":"5","visibleTo":[null]}', 'answer.visibleTo[0]: must be string, or must be integer'],
    ['{"uid":"5","expiresIn":"3600"}', 'answer.expiresIn: must be number'],
    ['{"uid":"5","expiresIn":0}', 'answer.expiresIn: must be > 0'],
    ['{"uid":"5","expiresIn":1e999}', 'answer.expiresIn: must be number'],
  ]
  for (const [body, problem] of cases) {
    cms.answer = (_token, response) => response.end(body)
    await isUnavailable(t, verifier, `the auth URL answered JSON of a wrong shape: ${problem}`)
  }
})

t.test('a user whose number JSON does not tell from the next one is nobody', async t => {
  // Two users of the CMS would be one here, and read each other's messages.
  const { cms, verifier } = await begin(t)
  cms.answer = (_token, response) => response.end('{"uid":9007199254740993}')
  await isUnavailable(t, verifier, /wrong shape: answer\.uid: .*must be <= 9007199254740991/)
})
