// What the demo's pages share: the connection to the push service, the display of it, and the forms.

/** What the CMS wrote into the page for its script. */
export const settings = JSON.parse(byId('settings').textContent)

/** Messages shown below "What arrives". */
const LOG_LENGTH = 50

/** How long a notice stays; "What arrives" keeps it. */
const NOTICE_MS = 8_000

const STATES = {
  connecting: 'Connecting…',
  sse: 'Live over SSE',
  poll: 'Live over long-polling',
  lost: 'Connection lost, trying again…',
  logout: 'Logged out: log in again to go on',
  kick: 'You were kicked: reload the page to come back',
  absent: 'Not live: the push service is away',
  closed: 'Not live: reload the page to go on',
}

let push

/**
 * Follows the page's channels. Every change goes to `apply`, whether it comes as a message or as the answer to a form of
 * this page; and after messages were missed, the page's changeable part is fetched again and given to `refresh`.
 */
export function follow({ apply, refresh }) {
  let held
  let refetches = Promise.resolve()

  function receive(change) {
    if (held) held.push(change)
    else if (change?.type === 'notice') notify(change.text)
    else apply(change)
  }

  // What arrives while the part is being fetched may be newer than the part, so it waits and is applied on top.
  async function refetch() {
    held ??= []
    try {
      const response = await fetch(settings.fragment, { cache: 'no-store' })
      if (!response.ok) throw new Error(`status ${response.status}`)
      // Our own CMS's HTML, in which it has escaped what users wrote.
      byId('live').innerHTML = await response.text()
      refresh?.()
    } catch {
      notify('Changes were missed and could not be fetched: reload the page')
    }
    const changes = held
    held = undefined
    changes.forEach(receive)
  }

  enhanceForms(receive)
  if (!window.Downpipe) {
    show('absent')
    return
  }
  show('connecting')
  push = window.Downpipe.connect(settings.pushUrl, {
    ...settings.options,
    onready: () => {
      byId('transport').textContent = push.transport
      show(push.transport)
    },
    onmessage: (data, message) => record(message.channel ?? 'you alone', data),
    ongap: gap => {
      record('gap', gap)
      refetches = refetches.then(refetch)
    },
    onerror: error => {
      record('error', error)
      show(error.final ? 'closed' : 'lost')
    },
    onclose: close => {
      record('close', close)
      show(close.reason in STATES ? close.reason : 'closed')
    },
  })
  for (const channel of settings.options.channels) push.on(channel, receive)
  // A message to one user has no channel; it names the callback that takes it.
  push.callback('notice', data => notify(data.text))
}

/** The element of that id, which is there: the CMS wrote both the page and this script. */
export function byId(id) {
  return document.getElementById(id)
}

/** Shows a sentence for a while. */
export function notify(text) {
  const notice = document.createElement('p')
  notice.textContent = text
  byId('notices').append(notice)
  setTimeout(() => notice.remove(), NOTICE_MS)
}

/**
 * True when a change is newer than what an element shows; then the element takes the change's version, and lights up.
 */
export function renew(element, version) {
  if (!element || Number(element.dataset.version) >= version) return false
  element.dataset.version = version
  light(element)
  return true
}

/** Makes an element light up for a moment. */
export function light(element) {
  element.classList.remove('changed')
  // Reading a measure makes the browser notice that the class was away, so the animation starts anew.
  void element.offsetWidth
  element.classList.add('changed')
}

/** Sends the forms by script, so that the page stays; the answer is what everybody else gets as a message. */
function enhanceForms(receive) {
  document.addEventListener('submit', async event => {
    const form = event.target
    if (!('fetch' in form.dataset)) return
    event.preventDefault()
    const fields = new URLSearchParams(new FormData(form, event.submitter))
    if (push) fields.set('page', push.page)
    try {
      const answer = await submit(form.action, fields)
      receive(answer)
      if ('reset' in form.dataset) form.reset()
    } catch (error) {
      notify(`Not saved: ${error.message}`)
    }
  })
}

async function submit(url, fields) {
  const response = await fetch(url, { method: 'POST', body: fields, headers: { accept: 'application/json' } })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.message)
  return answer
}

function show(state) {
  const connection = byId('connection')
  connection.dataset.state = state
  connection.textContent = STATES[state]
}

function record(channel, data) {
  const entry = document.createElement('li')
  const head = document.createElement('p')
  const time = document.createElement('time')
  const json = document.createElement('code')
  time.textContent = new Date().toLocaleTimeString()
  head.append(channel, ' ', time)
  json.textContent = JSON.stringify(data)
  entry.append(head, json)
  const log = byId('log')
  log.prepend(entry)
  if (log.children.length > LOG_LENGTH) log.lastChild.remove()
}
