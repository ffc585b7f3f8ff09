import type { Connection } from './connection.js'

const CHANGE = 'visibilitychange'

/**
 * Pauses and wakes a connection as the browser hides, keeps and shows its page. A page that holds a connection open would be thrown
 * away, not kept for the back button.
 *
 * @param pauseHidden minutes after which a hidden page pauses until it is shown; none: it does not
 * @returns what ends that
 */
export function followPage(connection: Connection, pauseHidden: number | undefined): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const handle = ({ type }: { readonly type: string }) => {
    clearTimeout(timer)
    if (/pagehide|freeze/.test(type)) connection.pause()
    else if (!document.hidden || (type !== CHANGE && !pauseHidden)) connection.wake()
    else if (pauseHidden) timer = setTimeout(connection.pause, pauseHidden * 60000)
  }
  const each = (method: 'addEventListener' | 'removeEventListener') => {
    // Some are the document's, and do not bubble: this is how the window sees them.
    ;['pagehide', 'pageshow', 'freeze', 'resume', 'online', CHANGE].forEach(type => {
      window[method](type, handle, true)
    })
  }
  each('addEventListener')
  // It may have been opened behind another tab.
  handle({ type: CHANGE })
  return () => each('removeEventListener')
}
