import type { Connection } from './connection.js'

const events = ['pagehide', 'pageshow', 'freeze', 'resume', 'online', 'visibilitychange']

/**
 * Pauses and wakes a connection as the browser hides, keeps and shows its page. A page that holds a connection open would be thrown
 * away, not kept for the back button.
 *
 * @param pauseHidden minutes after which a hidden page pauses; 0: it does not
 * @returns what ends that
 */
export function followPage(connection: Connection, pauseHidden: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const handle = ({ type }: { readonly type: string }) => {
    const isVisibility = type === 'visibilitychange'
    if (isVisibility) clearTimeout(timer)
    if (type === 'pagehide' || type === 'freeze') connection.pause()
    else if (!isVisibility || !document.hidden) connection.wake(type !== 'online')
    else if (pauseHidden) timer = setTimeout(connection.pause, pauseHidden * 60000)
  }
  // Some of them are the document's, and do not bubble: this is what the window sees of these.
  events.forEach(type => {
    addEventListener(type, handle, true)
  })
  if (document.hidden) handle({ type: 'visibilitychange' })
  return () => {
    clearTimeout(timer)
    events.forEach(type => {
      removeEventListener(type, handle, true)
    })
  }
}
