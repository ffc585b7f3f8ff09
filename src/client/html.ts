import type { Message } from './frames.js'
import type { Push } from './push.js'
import { update } from './update.js'

// A page that changes all the time is looked through so often at most.
const SCAN_MS = 50

/**
 * Lets the elements `data-downpipe="<channel>"` of a page take the messages of type `html` that come over a connection: those that
 * are there, and those that come later. Channels of which there is no element any more are given up.
 *
 * @param within only the elements inside of it. Default: the document
 */
export function html(push: Push, within?: Element | Document): void {
  const root = within || document
  let channels: string[] = []
  let timer: ReturnType<typeof setTimeout> | undefined

  const each = (visit: (channel: string, element: Element) => void) => {
    ;[].forEach.call(root.querySelectorAll('[data-downpipe]'), (element: Element) => {
      visit(element.getAttribute('data-downpipe') || '', element)
    })
  }

  const scan = () => {
    timer = undefined
    const before = channels
    channels = []
    each(name => {
      if (!name || channels.indexOf(name) >= 0) return
      channels.push(name)
      if (before.indexOf(name) < 0) push.on(name, take)
    })
    before.forEach(name => {
      if (channels.indexOf(name) < 0) push.off(name, take)
    })
  }

  // One for all channels, so that a message to several of them comes once.
  const take = (_data: unknown, message: Message) => {
    if (message.type !== 'html') return
    const names = message.channels || [message.channel]
    each((name, element) => {
      if (names.indexOf(name) >= 0) update(element, message)
    })
    scan()
  }

  scan()
  if (window.MutationObserver) {
    const observer = new MutationObserver(() => {
      timer = timer || setTimeout(scan, SCAN_MS)
    })
    observer.observe(root, { childList: true, subtree: true, attributeFilter: ['data-downpipe'] })
  }
}
