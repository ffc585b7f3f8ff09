import { byId, follow, renew } from './live.js'

follow({ apply })

/** Shows what has become of an article. */
function apply({ article, version, title, likes, comments }) {
  const item = byId(`article-${article}`)
  if (!renew(item, version)) return
  item.querySelector('.title').textContent = title
  item.querySelector('.like-count').textContent = likes
  item.querySelector('.comment-count').textContent = comments
}
