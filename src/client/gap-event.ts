import type { Gap } from './frames.js'

/** Tells the document of a gap, by the event `downpipe:gap`. */
export function tellDocument(gap: Gap): void {
  // As old browsers do it.
  const event = document.createEvent('CustomEvent')
  event.initCustomEvent('downpipe:gap', false, false, gap)
  document.dispatchEvent(event)
}
