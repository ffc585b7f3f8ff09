import { createServer, type Socket } from 'node:net'
import t from 'tap'
import { HttpVerifier } from '../../src/auth/http-verifier.js'
import type { Answer } from '../helpers/cms.js'
import { begin, isUnavailable, json, serviceKey, token } from '../helpers/http-verifier.js'
import { listen } from '../helpers/listening.js'
import { caller } from '../helpers/verifier.js'

t.test('an answer of 10 MB is cut off', async t => {
  const { cms, verifier } = await begin(t)
  const closed = new Promise<void>(resolve => {
    cms.answer = (_token, response) => {
      response.on('close', resolve)
      response.end(`{"uid":"5","info":"${'x'.repeat(10_000_000)}"}`)
    }
  })
  await isUnavailable(t, verifier, 'the auth URL answered more than 1048576 bytes')
  await closed
})

t.test('no answer, half an answer and one that trickles are all cut off in time', async t => {
  const { cms, verifier } = await begin(t, 200)
  const answers: readonly Answer[] = [
    () => {},
    (_token, response) => response.flushHeaders(),
    (_token, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"uid":')
    },
    (_token, response) => {
      const timer = setInterval(() => response.write(' '), 10)
      response.on('close', () => clearInterval(timer))
    },
  ]
  for (const answer of answers) {
    const closed = new Promise<void>(resolve => {
      cms.answer = (token, response, request, question) => {
        response.on('close', resolve)
        answer(token, response, request, question)
      }
    })
    await isUnavailable(t, verifier, 'the auth URL gave no answer within 200 ms')
    await closed
  }
  cms.answer = json({ uid: '5' })
  t.match(await verifier.verify(token, caller), { uid: '5' }, 'and then it goes on')
})

t.test('a connection that is cut, in front of the answer or within it, is said to be', async t => {
  const { cms, verifier } = await begin(t)
  for (const start of [undefined, '{"uid":"5"']) {
    cms.answer = (_token, response, request) => {
      if (start === undefined) request.socket.destroy()
      else response.write(start, () => request.socket.destroy())
    }
    await isUnavailable(t, verifier, 'the auth URL could not be reached: ECONNRESET')
  }
})

t.test('a CMS that is not there is said to be', async t => {
  const { cms, verifier } = await begin(t)
  await cms.close()
  await isUnavailable(t, verifier, 'the auth URL could not be reached: ECONNREFUSED')
})

t.test('something that does not speak HTTP is said to be', async t => {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.end('220 mail.example ESMTP\r\n')
  })
  const port = await listen(server)
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const url = `http://127.0.0.1:${port}/`
  const verifier = new HttpVerifier({ url, serviceKey, timeoutMs: 10_000, maxChannelBytes: 20 })
  await isUnavailable(t, verifier, /^the auth URL could not be reached: HPE_/)
})

t.test(
  'a kept connection that the CMS has closed is replaced by a new one, however many were kept',
  async t => {
    const { cms, verifier } = await begin(t)
    const used = new Set<Socket>()
    cms.answer = (_token, response, request) => {
      // As a CMS does that is started anew: what was opened before is gone at the next question.
      if (used.has(request.socket)) request.socket.destroy()
      else response.end('{"uid":"5"}')
      used.add(request.socket)
    }
    await Promise.all([1, 2, 3].map(() => verifier.verify(token, caller)))
    t.equal(used.size, 3)
    for (let round = 0; round < 3; round++) t.match(await verifier.verify(token, caller), { uid: '5' })
  },
)

t.test('a CMS that cuts every connection is asked twice at the most', async t => {
  const { cms, verifier } = await begin(t)
  cms.answer = json({ uid: '5' })
  await Promise.all([1, 2, 3].map(() => verifier.verify(token, caller)))
  cms.asked.length = 0
  cms.answer = (_token, _response, request) => request.socket.destroy()
  await isUnavailable(t, verifier, 'the auth URL could not be reached: ECONNRESET')
  t.ok(cms.asked.length <= 2, `asked ${cms.asked.length} times`)
})
