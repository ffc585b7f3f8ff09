import { randomUUID } from 'node:crypto'
import { parse } from 'cookie'
import Fastify, { type FastifyInstance } from 'fastify'
import downpipe from '../../src/index.js'

/** What the CMS knows of its users. */
const users = new Map([
  ['ada', { uid: '1', name: 'Ada', channels: ['news', 'editors'] }],
  ['bob', { uid: '2', name: 'Bob', channels: ['news'] }],
])

/**
 * An example: a small CMS in Node that is its own push server. Users log in by name; their session is a cookie, which the service
 * shows to `verify`; a page is printed with the cursor; who saves an article has it pushed to all who read it.
 */
export function createCms(): FastifyInstance {
  const app = Fastify()
  const sessions = new Map<string, string>()
  const articles = new Map<string, string>()

  app.register(downpipe, {
    prefix: '/push',
    tokenCookie: 'sid',
    // Anybody may read an article, and so its changes.
    anonymousChannels: ['article_*'],
    verify: sid => {
      const user = users.get(sessions.get(sid) ?? '')
      return user === undefined ? null : { uid: user.uid, channels: user.channels, info: { name: user.name } }
    },
  })

  app.post<{ Params: { name: string } }>('/login/:name', async (request, reply) => {
    const sid = randomUUID()
    sessions.set(sid, request.params.name)
    return reply.header('set-cookie', `sid=${sid}; HttpOnly; SameSite=Lax; Path=/`).send({ sid })
  })

  app.post('/logout', async request => {
    const { sid = '' } = parse(request.headers.cookie ?? '')
    await app.downpipe.logout(sid)
    sessions.delete(sid)
    return {}
  })

  app.get<{ Params: { id: string } }>('/articles/:id', async request => {
    // First the cursor, then the content: what changes in between comes twice rather than never.
    const cursor = app.downpipe.cursor()
    return { cursor, text: articles.get(request.params.id) ?? '' }
  })

  app.put<{ Params: { id: string }; Body: { text: string } }>('/articles/:id', async request => {
    const { id } = request.params
    articles.set(id, request.body.text)
    const messageId = await app.downpipe.publish({
      channel: `article_${id}`,
      data: { text: request.body.text },
    })
    return { id: messageId }
  })
  return app
}
