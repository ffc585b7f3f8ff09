import { formatCursor } from '../../cursor.js'
import type { ControlApp, ControlOptions } from './options.js'

/** `POST /publish`, and `GET /cursor`: the place from which a page goes on. */
export function registerPublish(app: ControlApp, { control }: ControlOptions): void {
  app.post('/publish', async request => {
    const ids = await control.publish(request.body)
    return Array.isArray(request.body) ? { ids } : { id: ids[0] }
  })
  app.get('/cursor', async () => ({ cursor: formatCursor(control.cursor()) }))
}
