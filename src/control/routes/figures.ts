import type { ControlApp, ControlOptions } from './options.js'
import { registerStatsStream } from './stats-stream.js'

/** `GET /stats`, and `GET /stats/stream`: the same each second. */
export async function registerFigures(app: ControlApp, options: ControlOptions): Promise<void> {
  const { control } = options
  app.get('/stats', async () => control.stats())
  await registerStatsStream(app, options)
}
