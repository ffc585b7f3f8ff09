import { byId, follow, light, renew, settings } from './live.js'

const changes = { text: applyText, likes: applyLikes, comment: applyComment }

follow({ apply: change => changes[change?.type]?.(change), refresh: offerText })

function applyText({ version, title, body, editor }) {
  if (!renew(byId('text'), version)) return
  byId('title').textContent = title
  byId('body').textContent = body
  byId('editor').textContent = editor
  document.title = `${title} – The Gutter Gazette`
  offerText()
}

/** `comment` is null when the article itself is liked. */
function applyLikes({ version, comment, likes }) {
  const place = comment === null ? byId('live').querySelector(':scope > .likes') : likesOf(comment)
  if (!renew(place, version)) return
  place.querySelector('.count').textContent = likes.length
  place.querySelector('.likers').textContent = likes.join(', ')
  place.querySelector('button')?.setAttribute('aria-pressed', likes.includes(settings.user))
}

function likesOf(comment) {
  return document.querySelector(`#comment-${Number(comment)} .likes`)
}

/** A comment that is there already, because the page was made after it, is not added again. */
function applyComment({ version, comment }) {
  const { id, author, text, at } = comment
  if (byId(`comment-${id}`)) return
  const item = byId('comment').content.cloneNode(true).firstElementChild
  item.id = `comment-${id}`
  item.querySelector('.author').textContent = author
  item.querySelector('.comment-text').textContent = text
  const time = item.querySelector('time')
  time.dateTime = at
  time.textContent = `${at.slice(0, 16).replace('T', ' ')} UTC`
  item.querySelector('.likes').dataset.version = version
  const field = item.querySelector('[name=comment]')
  if (field) field.value = id

  const list = byId('comments')
  const later = [...list.children].find(each => Number(each.id.slice('comment-'.length)) > id)
  list.insertBefore(item, later ?? null)
  byId('count').textContent = list.children.length
  light(item)
}

/** Puts the article's text into the edit form, unless somebody is writing there. */
function offerText() {
  const form = byId('edit')
  if (!form) return
  const fields = [form.elements.title, form.elements.body]
  const texts = [byId('title').textContent, byId('body').textContent]
  const isWriting = fields.some(
    (field, index) => field.value !== field.defaultValue && field.value.trim() !== texts[index],
  )
  byId('edit-note').textContent = isWriting
    ? `${byId('editor').textContent} has changed the article meanwhile. Your text is still here; saving it replaces theirs.`
    : ''
  fields.forEach((field, index) => {
    field.defaultValue = texts[index]
    if (!isWriting) field.value = texts[index]
  })
}
