import t from 'tap'
import { startTestServer } from '../helpers/server.js'

const server = await startTestServer({ maxChannels: 2 })
t.teardown(() => server.close())

t.test('a channel that cannot be one is refused, and it is said why', async t => {
  for (const method of ['PUT', 'DELETE'] as const) {
    for (const [channel, problem] of [
      ['line\nbreak', 'channel: a channel name must not hold control characters'],
      ['\u0000', 'channel: a channel name must not hold control characters'],
      ['news_*', 'channel: a channel name must not end in *'],
      ['ü'.repeat(101), 'channel: a channel name is at most 200 bytes'],
    ] as const) {
      const { status, body } = await server.membership(method, '5', channel)
      t.match({ status, ...body }, { status: 400, code: 'DOWNPIPE_INVALID_REQUEST', message: problem })
    }
  }
})

t.test('a uid or a name may be as long as elsewhere, and no longer', async t => {
  t.equal((await server.membership('PUT', 'u'.repeat(200), '☃'.repeat(66))).status, 200)
  const { status, body } = await server.membership('PUT', 'u'.repeat(201), 'a')
  t.match({ status, ...body }, { status: 400, code: 'DOWNPIPE_INVALID_REQUEST', message: /^path\.uid: / })
})

t.test('one channel too many is refused, and nothing is lost', async t => {
  for (const channel of ['a', 'b', 'b']) t.equal((await server.membership('PUT', '7', channel)).status, 200)
  const { status, body } = await server.membership('PUT', '7', 'c')
  t.match({ status, ...body }, { status: 409, code: 'DOWNPIPE_TOO_MANY_MEMBERSHIPS' })
  await server.membership('DELETE', '7', 'a')
  t.equal((await server.membership('PUT', '7', 'c')).status, 200)
})

t.test('without a service key there is nothing', async t => {
  for (const [method, path] of [
    ['PUT', '/v1/users/5/channels/a'],
    ['DELETE', '/v1/users/5/channels/a'],
    ['POST', '/v1/refresh'],
  ]) {
    const response = await fetch(`${server.url}${path}`, { method: String(method) })
    t.match(await response.json(), { statusCode: 401, code: 'DOWNPIPE_SERVICE_KEY_REQUIRED' })
  }
})

t.test('a refresh names exactly one user', async t => {
  for (const body of [{}, { uid: null }, { uid: '' }, { uid: ['5'] }, { uid: '5', hold: 1 }, []]) {
    t.match(await server.post('/refresh', body), {
      status: 400,
      body: { code: 'DOWNPIPE_INVALID_REQUEST' },
    })
  }
})
