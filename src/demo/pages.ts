import type { Article, Comment } from './articles.js'
import { type Html, html } from './html.js'
import { type Live, layout, link, type View } from './layout.js'
import { articleChannel, FRONT_CHANNEL } from './messages.js'
import type { User } from './users.js'

/** What a page that follows along needs besides its content. */
export type Place = Pick<Live, 'pushUrl' | 'since'>

/** The front page: all articles, with live counts. */
export function frontPage(view: View, articles: readonly Article[], place: Place): Html {
  const main = html`<h1>Today’s articles</h1>
<ul id="live" class="articles">
${frontFragment(view, articles)}
</ul>`
  const fragment = link(view, '/fragment')
  return layout(view, 'Today', main, { ...place, channels: [FRONT_CHANNEL], script: 'front.js', fragment })
}

/** The part of the front page that changes. */
export function frontFragment(view: View, articles: readonly Article[]): Html {
  return html`${articles.map(
    article => html`<li id="article-${article.id}" data-version="${article.version}">
<h2><a class="title" href="${link(view, `/article/${article.id}`)}">${article.title}</a></h2>
<p>Likes: <span class="like-count">${article.likes.length}</span> · Comments: <span class="comment-count">${article.comments.length}</span></p>
</li>`,
  )}`
}

/** An article's page. Its forms stand outside the part that changes, so nobody loses what they are typing. */
export function articlePage(view: View, article: Article, place: Place): Html {
  const { session } = view
  const main = html`<article id="live">
${articleFragment(view, article)}
</article>
${session ? html`${commentForm(view, article)}${editForm(view, article)}` : html`<p class="hint">Log in to like, comment and edit.</p>`}
<template id="comment">${commentItem(view, article)}</template>`
  const fragment = link(view, `/article/${article.id}/fragment`)
  const channels = [articleChannel(article)]
  return layout(view, article.title, main, { ...place, channels, script: 'article.js', fragment })
}

/** The part of an article's page that changes. */
export function articleFragment(view: View, article: Article): Html {
  return html`<div id="text" data-version="${article.textVersion}">
<h1 id="title">${article.title}</h1>
<p class="byline">by ${article.author.name} · last edited by <span id="editor">${article.editor.name}</span></p>
<div id="body">${article.body}</div>
</div>
${likes(view, article)}
<h2>Comments (<span id="count">${article.comments.length}</span>)</h2>
<ol id="comments">${article.comments.map(comment => commentItem(view, article, comment))}</ol>`
}

/** A page that says what went wrong. */
export function errorPage(view: View, message: string): Html {
  return layout(view, 'Sorry', html`<h1>Sorry</h1><p>${message}</p><p><a href="${view.path}">Go on</a></p>`)
}

/** A comment, or, without one, the form that the script fills for those that arrive. */
function commentItem(view: View, article: Article, comment?: Comment): Html {
  return html`<li id="comment-${comment?.id ?? 0}">
<p class="byline"><strong class="author">${comment?.author.name}</strong> <time datetime="${comment?.at}">${comment && shortTime(comment.at)}</time></p>
<p class="comment-text">${comment?.text}</p>
${likes(view, article, comment ?? { id: 0, likes: [], likesVersion: 0 })}
</li>`
}

function likes(view: View, article: Article, comment?: Pick<Comment, 'id' | 'likes' | 'likesVersion'>): Html {
  const liked = comment ?? article
  const user = view.session?.user
  return html`<div class="likes" data-version="${liked.likesVersion}">
${user && likeForm(view, article, comment?.id, liked.likes.includes(user))}
<span aria-hidden="true">♥</span> <span class="count">${liked.likes.length}</span>
<span class="likers">${names(liked.likes)}</span>
</div>`
}

function likeForm(view: View, article: Article, comment: number | undefined, isPressed: boolean): Html {
  return html`<form method="post" action="${link(view, `/article/${article.id}/like`)}" data-fetch>
${comment === undefined ? undefined : html`<input type="hidden" name="comment" value="${comment}">`}
<button aria-pressed="${String(isPressed)}">Like</button>
</form>`
}

function commentForm(view: View, article: Article): Html {
  return html`<form class="write" method="post" action="${link(view, `/article/${article.id}/comment`)}" data-fetch data-reset>
<label for="comment-field">Your comment</label>
<textarea id="comment-field" name="text" rows="3" required maxlength="2000"></textarea>
<button>Send the comment</button>
</form>`
}

function editForm(view: View, article: Article): Html {
  return html`<details class="edit">
<summary>Edit this article</summary>
<form class="write" id="edit" method="post" action="${link(view, `/article/${article.id}`)}" data-fetch>
<p class="hint" id="edit-note" role="status"></p>
<label for="title-field">Title</label>
<input id="title-field" name="title" value="${article.title}" required maxlength="200">
<label for="body-field">Text</label>
<textarea id="body-field" name="body" rows="8" required maxlength="10000">
${article.body}</textarea>
<button>Save the article</button>
</form>
</details>`
}

function names(users: readonly User[]): string {
  return users.map(user => user.name).join(', ')
}

/** The page's script writes times in the same way. */
function shortTime(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`
}
