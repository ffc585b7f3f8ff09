import type { Message } from './frames.js'
import { note } from './note.js'

/** The data of a message of type `html`. */
export interface Update {
  /**
   * - `replace`: the target gives way to the HTML; without a selector, the element stays and its content does
   * - `append`, `prepend`: the HTML comes at the end or the beginning of the target's content
   * - `remove`: the target goes
   */
  readonly action: 'replace' | 'append' | 'prepend' | 'remove'
  /** What comes; not for `remove`. Scripts in it do not run. */
  readonly html?: string
  /** The target is the first match inside the element. Default: the element itself. */
  readonly selector?: string
}

/** What the event `downpipe:update` has as its `detail`. */
export interface UpdateDetail {
  readonly message: Message
  /** The element with the channel. It is the event's target, too, unless it was removed: then that is the element around it. */
  readonly element: Element
}

interface HtmlPolicy {
  createHTML(html: string): string
}

declare global {
  interface Window {
    /** Checks what becomes HTML, where a browser has it. TypeScript does not know it yet. */
    readonly trustedTypes?: { createPolicy(name: string, policy: HtmlPolicy): HtmlPolicy }
  }
}

// It is for the CMS to say what is harmless.
let policy: HtmlPolicy = { createHTML: html => html }
try {
  // At once, before somebody else takes the name.
  if (window.trustedTypes) policy = window.trustedTypes.createPolicy('downpipe', policy)
} catch {
  // The page's Content-Security-Policy does not list it. Its default policy decides, if there is one.
}

const places = { append: 'beforeend', prepend: 'afterbegin' } as const

/** Does what a message says to an element, and tells the page by the event `downpipe:update`. Never throws. */
export function update(element: Element, message: Message): void {
  try {
    const { action, html, selector }: Update = Object(message.data)
    const target = selector ? element.querySelector(selector) : element
    const parent = target?.parentNode
    // Rather what was there before than nothing.
    if (!parent || (action !== 'remove' && html == null)) throw Error('No target')
    const trusted = policy.createHTML(html || '')
    if (action === 'remove') parent.removeChild(target)
    // Throws if there is no such action, and so no such place.
    else if (action !== 'replace') target.insertAdjacentHTML(places[action], trusted)
    else if (selector) target.outerHTML = trusted
    else target.innerHTML = trusted
    // As IE 11 knows it, too.
    const event = document.createEvent('CustomEvent')
    const detail: UpdateDetail = { message, element }
    event.initCustomEvent('downpipe:update', true, false, detail)
    const place = element.parentNode ? element : parent
    place.dispatchEvent(event)
  } catch (error) {
    note(`does nothing for ${error}`, [message, element])
  }
}
