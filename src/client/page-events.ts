import { note } from './note.js'
import type { PageOptions } from './page-options.js'

/**
 * Pauses and wakes a connection as the browser hides, keeps and shows its page. A page that holds a connection open would be thrown
 * away, not kept for the back button.
 *
 * @returns what ends that
 */
export function followPage(pause: () => void, wake: () => void, { pauseHidden }: PageOptions): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const handle = ({ type }: { readonly type: string }) => {
    note('sees', type)
    clearTimeout(timer)
    if (/hide|free/.test(type)) pause()
    else if (document.hidden && pauseHidden) timer = setTimeout(pause, pauseHidden * 60000)
    // A page that goes is hidden after its `pagehide`. Only `visibilitychange` has a y.
    else if (!document.hidden || !/y/.test(type)) wake()
  }
  const each = (method: 'addEventListener' | 'removeEventListener') => {
    // Some are the document's, and do not bubble: this is how the window sees them.
    ;['pagehide', 'pageshow', 'freeze', 'resume', 'online', 'visibilitychange'].forEach(type => {
      window[method](type, handle, true)
    })
  }
  each('addEventListener')
  // It may have been opened behind another tab.
  handle({ type: 'load' })
  return () => each('removeEventListener')
}
