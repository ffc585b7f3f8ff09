import type { ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { connected, stats, until } from '../helpers/calls.js'
import type { Reader } from '../helpers/reader.js'
import { beginCase, type Case, refusal, type Transport } from './transport-case.js'

const kicked = { status: 403, code: 'DOWNPIPE_USER_KICKED' }
const refused = { status: 401, code: 'DOWNPIPE_TOKEN_REFUSED' }

/** What ends a subscription, and what keeps the one who had it out. */
export function endingsSuite(t: Test, transport: Transport): void {
  t.test('a kick closes all connections of the user and refuses the user for the hold', async t => {
    const { server, knows, join, connect, publish } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    knows('five-too', { uid: '5', channels: ['a'] })
    knows('seven', { uid: '7', channels: ['a'] })
    const [one, two, other] = [
      await join({ token: 'five' }),
      await join({ token: 'five-too' }),
      await join({ token: 'seven' }),
    ]
    await connected(server, 3)
    await publish({ channel: 'a', data: 1 })
    for (const reader of [one, two, other]) t.strictSame(await reader.messages(1), [1])
    await connected(server, 3)
    t.strictSame(await server.post('/kick', { uid: 5, hold: 60 }), { status: 200, body: {} })
    for (const reader of [one, two]) {
      t.match((await reader.next('close')).data, { reason: 'kick', reconnect: false })
      await reader.next('end')
    }
    for (const token of ['five', 'five-too']) {
      t.strictSame(await refusal(connect({ token, since: one.cursor ?? '' })), kicked)
    }
    knows('five-new', { uid: '5', channels: ['a'] })
    t.strictSame(await refusal(connect({ token: 'five-new' })), kicked, 'a new token does not help')
    t.strictSame(server.cms.asked, ['five', 'five-too', 'seven', 'five-new'])
    await publish({ channel: 'a', data: 2 })
    t.strictSame(await other.messages(1), [2])
    t.match(await stats(server), { closed: { kick: 2 } })
  })

  t.test('when the hold of a kick is over the CMS is asked anew', async t => {
    const { server, knows, join, connect } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a', 'staff'] })
    const reader = await join({ token: 'five' })
    await connected(server, 1)
    knows('five', { uid: '5', channels: ['a'] })
    const beginMs = performance.now()
    await server.post('/kick', { uid: '5', hold: 0.4 })
    await reader.next('close')
    t.match((await letIn(() => connect({ token: 'five' }))).data, { channels: ['a'] })
    t.ok(performance.now() - beginMs >= 400, 'not before')
    t.strictSame(server.cms.asked, ['five', 'five'], 'and not for each attempt before')
  })

  t.test('a kick that comes while the CMS is asked is not undone by its answer', async t => {
    for (const hold of [60, 0]) {
      const { server, connect } = await beginCase(t, transport)
      const answers = holdAnswers(server)
      const reader = connect({ token: 'five' })
      await until('the question', () => answers.length === 1)
      await server.post('/kick', { uid: '5', hold })
      answer(answers[0], { uid: '5', channels: ['before'] })
      if (hold > 0) t.strictSame(await refusal(reader), kicked)
      else {
        await until('another question', () => answers.length === 2)
        answer(answers[1], { uid: '5', channels: ['after'] })
        t.match((await reader.next('ready')).data, { channels: ['after'] })
      }
    }
  })

  t.test('a kick or a logout that comes together with a connection leaves nobody behind', async t => {
    const { server, knows, join, connect } = await beginCase(t, transport)
    const users = Array.from({ length: 30 }, (_, index) => `user-${index}`)
    for (const uid of users) knows(uid, { uid, channels: [] })
    // Known already, so that a connection takes as few turns as a command.
    for (const token of users) (await join({ token })).close()
    const readers = users.map((uid, index) => {
      const reader = connect({ token: uid })
      const isKick = index % 2 === 0
      const done = server.post(isKick ? '/kick' : '/logout', isKick ? { uid, hold: 60 } : { token: uid })
      return { reader, done }
    })
    for (const { reader, done } of readers) {
      t.match(await done, { status: 200 })
      let event = await reader.next()
      if (event.event === 'ready') event = await reader.next()
      t.match(event.event, /^(close|refused)$/)
    }
    await connected(server, 0)
  })

  t.test('a logout closes the connections of that token and refuses it without asking', async t => {
    const { server, knows, join, connect, publish } = await beginCase(t, transport)
    knows('phone', { uid: '5', channels: ['a'] })
    knows('desk', { uid: '5', channels: ['a'] })
    const [phone, phoneToo, desk] = [
      await join({ token: 'phone' }),
      await join({ token: 'phone' }),
      await join({ token: 'desk' }),
    ]
    await connected(server, 3)
    t.strictSame(await server.post('/logout', { token: 'phone' }), { status: 200, body: {} })
    for (const reader of [phone, phoneToo]) {
      t.match((await reader.next('close')).data, { reason: 'logout', reconnect: false })
      await reader.next('end')
    }
    t.strictSame(await refusal(connect({ token: 'phone', since: phone.cursor ?? '' })), refused)
    t.strictSame(server.cms.asked, ['phone', 'desk'])
    await publish({ channel: 'a', data: 1 })
    t.strictSame(await desk.messages(1), [1])
  })

  t.test('a logout that comes while the CMS is asked is not undone by its answer', async t => {
    const { server, connect } = await beginCase(t, transport)
    const answers = holdAnswers(server)
    const [one, two] = [connect({ token: 'five' }), connect({ token: 'five' })]
    await until('the question', () => answers.length === 1)
    await server.post('/logout', { token: 'five' })
    answer(answers[0], { uid: '5', channels: ['a'] })
    for (const reader of [one, two]) t.strictSame(await refusal(reader), refused)
    t.strictSame(await refusal(connect({ token: 'five' })), refused)
    t.equal(answers.length, 1)
  })

  t.test('what was published before a kick still arrives, what comes after it does not', async t => {
    const { server, knows, join } = await beginCase(t, transport)
    knows('five', { uid: '5', channels: ['a'] })
    const reader = await join({ token: 'five' })
    await connected(server, 1)
    const before = [1, 2, 3].map(data => ({ channel: 'a', data }))
    t.match(await server.post('/publish', before), { status: 200 })
    t.match(await server.post('/kick', { uid: '5', hold: 60 }), { status: 200 })
    t.match(await server.post('/publish', { channel: 'a', data: 'secret' }), { status: 200 })
    t.strictSame(await reader.messages(3), [1, 2, 3])
    t.match((await reader.next()).event, /^(close|refused)$/)
    await reader.next('end')
  })

  t.test(
    'when its time is over the CMS is asked again, and the difference applies without a close',
    async t => {
      const { server, join, publish } = await beginCase(t, transport, { pollWaitMs: 300 })
      answerInTurn(server, { channels: ['a', 'b'], expiresIn: 1 }, { channels: ['b', 'c'], info: 'new' })
      const reader = await join({ token: 'five' })
      t.match((await reader.next('ready')).data, { uid: '5', channels: ['b', 'c'], info: 'new' })
      for (const channel of ['a', 'b', 'c']) await publish({ channel, data: channel })
      t.strictSame(await reader.messages(2), ['b', 'c'])
      t.strictSame(server.cms.asked, ['five', 'five'])
    },
  )

  t.test('a narrowed subscription loses what the CMS takes away, and gains nothing', async t => {
    const { server, join, publish } = await beginCase(t, transport, { pollWaitMs: 300 })
    const first = { channels: ['a', 'b'], expiresIn: 1, info: 1 }
    answerInTurn(server, first, { channels: ['a', 'b', 'c'], info: 2 })
    const reader = await join({ token: 'five', channels: ['a'] })
    t.match((await reader.next('ready')).data, { channels: ['a'], info: 2 })
    for (const channel of ['b', 'c', 'a']) await publish({ channel, data: channel })
    t.strictSame(await reader.messages(1), ['a'])
  })

  t.test('when its time is over and the CMS says no, that is the end', async t => {
    const { server, join, connect } = await beginCase(t, transport, { pollWaitMs: 300 })
    answerInTurn(server, { channels: ['a'], expiresIn: 1 }, 403)
    const reader = await join({ token: 'five' })
    t.match(await reader.next(), transport.expired)
    await reader.next('end')
    t.strictSame(await refusal(connect({ token: 'five' })), refused)
  })

  t.test('when its time is over and the CMS is away, nobody is turned out', async t => {
    const { server, join, publish } = await beginCase(t, transport, { pollWaitMs: 300 })
    answerInTurn(server, { channels: ['a'], expiresIn: 1 }, 500)
    const reader = await join({ token: 'five' })
    await until('a question that fails', () => server.cms.asked.length > 1)
    await publish({ channel: 'a', data: 1 })
    t.strictSame(await reader.messages(1), [1])
    await join({ token: 'five' })
  })
}

/** Subscribes again and again until it is let in, and gives the `ready`. */
async function letIn(connect: () => Reader): ReturnType<Reader['next']> {
  for (;;) {
    const event = await connect().next()
    if (event.event === 'ready') return event
  }
}

/** Lets the CMS keep its answers back. */
function holdAnswers(server: Case['server']): ServerResponse[] {
  const answers: ServerResponse[] = []
  server.cms.answer = (_token, response) => answers.push(response)
  return answers
}

/** Lets the CMS answer about user 5 once in one way, and in the other, an identity or a status, from then on. */
function answerInTurn(server: Case['server'], first: object, later: object | number): void {
  server.cms.answer = (_token, response) => {
    const now = server.cms.asked.length === 1 ? first : later
    if (typeof now === 'number') response.writeHead(now).end()
    else answer(response, { uid: '5', ...now })
  }
}

function answer(response: ServerResponse | undefined, identity: unknown): void {
  response?.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(identity))
}
