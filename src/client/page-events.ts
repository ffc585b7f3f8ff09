import { type Connection, PAUSED, WAITS } from './connection.js'

const events = ['pagehide', 'pageshow', 'freeze', 'resume', 'online', 'visibilitychange']

/**
 * Pauses and wakes a connection as the browser hides, keeps and shows its page. A page that holds a connection open would be thrown
 * away, not kept for the back button.
 *
 * @param pauseHidden minutes after which a hidden page pauses; none: it does not
 * @returns what ends that
 */
export function followPage(connection: Connection, pauseHidden: number | undefined): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const handle = ({ type }: { readonly type: string }) => {
    if (type === 'pagehide' || type === 'freeze') connection.pause()
    else if (type !== events[5] || !document.hidden)
      connection.wake(type === 'online' ? WAITS : WAITS | PAUSED)
    else if (pauseHidden) {
      clearTimeout(timer)
      timer = setTimeout(() => {
        if (document.hidden) connection.pause()
      }, pauseHidden * 60000)
    }
  }
  const each = (method: 'addEventListener' | 'removeEventListener') => {
    // Some are the document's, and do not bubble: this is how the window sees them.
    events.forEach(type => {
      window[method](type, handle, true)
    })
  }
  each('addEventListener')
  // It may have been opened behind another tab.
  handle({ type: 'visibilitychange' })
  return () => each('removeEventListener')
}
