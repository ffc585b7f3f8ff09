import type { User } from './users.js'

/** Newest comments kept for an article. Without a limit, a loop that comments would fill the memory. */
const MAX_COMMENTS = 200

/** What a reader wrote below an article. */
export interface Comment {
  readonly id: number
  readonly author: User
  readonly text: string
  /** When it was written, as an ISO date. */
  readonly at: string
  /** Who likes it, oldest like first. */
  readonly likes: readonly User[]
  /** The article's version at which the likes last changed. */
  readonly likesVersion: number
}

/** An article with all that is shown on its page. */
export interface Article {
  readonly id: number
  readonly author: User
  readonly title: string
  readonly body: string
  /** Who wrote the text that stands there now. */
  readonly editor: User
  /** The version at which title or body last changed. */
  readonly textVersion: number
  readonly likes: readonly User[]
  /** The version at which the likes last changed. */
  readonly likesVersion: number
  /** Oldest first. */
  readonly comments: readonly Comment[]
  /**
   * Counts the article's changes. Two requests at once may reach the push service in either order, and a page's own
   * change comes by another way than everybody else's; so each message says which version it describes, and a page
   * ignores what is older than what it shows.
   */
  readonly version: number
}

/**
 * The articles of the demo CMS, in memory. Every change replaces an article by a new, complete one, so what a caller
 * holds never changes under its hands.
 */
export class Articles {
  readonly #articles = new Map<number, Article>()
  #lastComment = 0

  /** All articles, oldest first. */
  all(): readonly Article[] {
    return [...this.#articles.values()]
  }

  /** The article of that id, or undefined when there is none. */
  get(id: number): Article | undefined {
    return this.#articles.get(id)
  }

  /** Adds an article; ids count from 1. */
  add(author: User, title: string, body: string): Article {
    const article = {
      id: this.#articles.size + 1,
      author,
      title,
      body,
      editor: author,
      textVersion: 1,
      likes: [],
      likesVersion: 1,
      comments: [],
      version: 1,
    }
    return this.#store(article)
  }

  /** Replaces an article's text. */
  edit(article: Article, editor: User, title: string, body: string): Article {
    const version = article.version + 1
    return this.#store({ ...article, editor, title, body, version, textVersion: version })
  }

  /** Likes an article, or takes the like back. */
  like(article: Article, user: User): Article {
    const version = article.version + 1
    return this.#store({ ...article, likes: toggled(article.likes, user), version, likesVersion: version })
  }

  /** Adds a comment as the last one. */
  comment(article: Article, author: User, text: string): { article: Article; comment: Comment } {
    const version = article.version + 1
    this.#lastComment++
    const at = new Date().toISOString()
    const comment = { id: this.#lastComment, author, text, at, likes: [], likesVersion: version }
    const comments = [...article.comments, comment].slice(-MAX_COMMENTS)
    return { article: this.#store({ ...article, comments, version }), comment }
  }

  /** Likes a comment, or takes the like back. */
  likeComment(article: Article, comment: Comment, user: User): { article: Article; comment: Comment } {
    const version = article.version + 1
    const liked = { ...comment, likes: toggled(comment.likes, user), likesVersion: version }
    const comments = article.comments.map(each => (each.id === liked.id ? liked : each))
    return { article: this.#store({ ...article, comments, version }), comment: liked }
  }

  #store(article: Article): Article {
    this.#articles.set(article.id, article)
    return article
  }
}

function toggled(likes: readonly User[], user: User): readonly User[] {
  return likes.includes(user) ? likes.filter(each => each !== user) : [...likes, user]
}
