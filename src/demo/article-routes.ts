import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Article } from './articles.js'
import type { Desk } from './desk.js'
import { NotFound, NotLoggedIn } from './errors.js'
import { link } from './layout.js'
import {
  type Change,
  changeMessages,
  commentChange,
  likesChange,
  noticeMessages,
  textChange,
} from './messages.js'
import { articleFragment, articlePage, frontFragment, frontPage } from './pages.js'
import type { Message } from './push-service.js'
import type { User } from './users.js'
import { sendPage, viewOf, wantsJson } from './view.js'

/** The id that the page's script gave itself, so that the page's own change does not come back to it. */
const page = Type.Optional(Type.String({ pattern: '^[\\w-]{1,64}$' }))

/** Text with at least one visible character. */
const text = (maxLength: number) => Type.String({ pattern: '\\S', maxLength })

const params = Type.Object({ id: Type.Integer({ minimum: 1 }) })

/** The front page and the articles: reading, and the forms that change them. */
export const articleRoutes: FastifyPluginCallbackTypebox<Desk> = (app, desk, done) => {
  const { articles, push } = desk

  app.get('/', async (request, reply) => {
    // The cursor first, the content after it: what changes in between comes as a message.
    const since = await push.cursor()
    const view = viewOf(desk, request, '/')
    return sendPage(desk, reply, frontPage(view, articles.all(), { pushUrl: push.url, since }))
  })

  app.get('/fragment', (request, reply) =>
    sendPage(desk, reply, frontFragment(viewOf(desk, request, '/'), articles.all())),
  )

  app.get('/article/:id', { schema: { params } }, async (request, reply) => {
    const since = await push.cursor()
    const article = find(request.params.id)
    const view = viewOf(desk, request, pathOf(article))
    return sendPage(desk, reply, articlePage(view, article, { pushUrl: push.url, since }))
  })

  // No cursor here: a page that was told of a gap follows from the gap's place, which is older than this answer.
  app.get('/article/:id/fragment', { schema: { params } }, (request, reply) => {
    const article = find(request.params.id)
    return sendPage(desk, reply, articleFragment(viewOf(desk, request, pathOf(article)), article))
  })

  const edit = Type.Object({ title: text(200), body: text(10_000), page })
  app.post('/article/:id', { schema: { params, body: edit } }, async (request, reply) => {
    const user = userOf(request)
    const { title, body } = request.body
    const article = articles.edit(find(request.params.id), user, title.trim(), body.trim())
    const notices = noticeMessages(article.author, user, `${user.name} edited “${article.title}”`)
    return answer(request, reply, article, textChange(article), notices)
  })

  const comment = Type.Object({ text: text(2_000), page })
  app.post('/article/:id/comment', { schema: { params, body: comment } }, async (request, reply) => {
    const user = userOf(request)
    const written = articles.comment(find(request.params.id), user, request.body.text.trim())
    const { article } = written
    const notices = noticeMessages(article.author, user, `${user.name} commented on “${article.title}”`)
    return answer(request, reply, article, commentChange(article, written.comment), notices)
  })

  const like = Type.Object({ comment: Type.Optional(Type.Integer()), page })
  app.post('/article/:id/like', { schema: { params, body: like } }, async (request, reply) => {
    const user = userOf(request)
    const before = find(request.params.id)
    if (request.body.comment === undefined) {
      const article = articles.like(before, user)
      const notices = article.likes.includes(user)
        ? noticeMessages(article.author, user, `${user.name} liked “${article.title}”`)
        : []
      return answer(request, reply, article, likesChange(article), notices)
    }
    const target = before.comments.find(each => each.id === request.body.comment)
    if (!target) throw new NotFound('comment')
    const { article, comment } = articles.likeComment(before, target, user)
    const notices = comment.likes.includes(user)
      ? noticeMessages(comment.author, user, `${user.name} liked your comment`)
      : []
    return answer(request, reply, article, likesChange(article, comment), notices)
  })
  done()

  function find(id: number): Article {
    const article = articles.get(id)
    if (!article) throw new NotFound('article')
    return article
  }

  function userOf(request: FastifyRequest): User {
    const session = desk.sessions.fromCookie(request.headers.cookie)
    if (!session) throw new NotLoggedIn()
    return session.user
  }

  /**
   * The change is stored by now; here it is told to everybody, and then to whoever made it: the script gets what the
   * other pages got as a message, a browser without it is led back to the article.
   */
  async function answer(
    request: FastifyRequest<{ Body: { page?: string } }>,
    reply: FastifyReply,
    article: Article,
    change: Change,
    notices: Message[],
  ): Promise<FastifyReply> {
    await push.publish([...changeMessages(article, change, request.body.page), ...notices])
    if (wantsJson(request)) return reply.send(change)
    return reply.redirect(link(viewOf(desk, request, '/'), pathOf(article)), 303)
  }
}

function pathOf(article: Article): string {
  return `/article/${article.id}`
}
