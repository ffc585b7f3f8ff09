import type { Article, Comment } from './articles.js'
import type { Message } from './push-service.js'
import type { User } from './users.js'

/** The channel of the front page. */
export const FRONT_CHANNEL = 'front'

/** The channels that may be read without a login. */
export const PUBLIC_CHANNELS: readonly string[] = [FRONT_CHANNEL, 'article_*']

/** The channel of an article's page. */
export function articleChannel(article: Article): string {
  return `article_${article.id}`
}

/**
 * What changed in an article, complete enough to be shown without asking: the same to every browser, whether it comes
 * as a message or, to the page that made the change, as the answer to its form.
 */
export type Change =
  | { type: 'text'; version: number; title: string; body: string; editor: string }
  | { type: 'likes'; version: number; comment: number | null; likes: string[] }
  | { type: 'comment'; version: number; comment: CommentData }

/** A comment as browsers get it. */
export interface CommentData {
  readonly id: number
  readonly author: string
  readonly text: string
  readonly at: string
}

/** Somebody changed title or body. */
export function textChange(article: Article): Change {
  const { title, body, editor, textVersion: version } = article
  return { type: 'text', version, title, body, editor: editor.name }
}

/** Somebody likes the article, or the comment when one is given, or no longer does. */
export function likesChange(article: Article, comment?: Comment): Change {
  const { likes, likesVersion: version } = comment ?? article
  return { type: 'likes', version, comment: comment?.id ?? null, likes: likes.map(user => user.name) }
}

/** Somebody wrote a comment. */
export function commentChange(article: Article, comment: Comment): Change {
  const { id, author, text, at } = comment
  return { type: 'comment', version: article.version, comment: { id, author: author.name, text, at } }
}

/** What goes out for a change: one message to the article's page, one to the front page. */
export function changeMessages(article: Article, change: Change, except: string | undefined): Message[] {
  const { id, version, title, likes, comments } = article
  return [
    { channel: articleChannel(article), data: change, except },
    {
      channel: FRONT_CHANNEL,
      data: { article: id, version, title, likes: likes.length, comments: comments.length },
    },
  ]
}

/** A private notice to one user, in all that user's browsers. Nobody needs to hear what they did themselves. */
export function noticeMessages(to: User, from: User, text: string): Message[] {
  return to === from ? [] : [{ uid: to.uid, callback: 'notice', data: { text } }]
}
