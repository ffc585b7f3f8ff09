import { errorAnswers } from '../../error-schema.js'
import { StatsSchema } from '../stats.js'
import type { ControlApp, ControlOptions } from './options.js'
import { registerStatsStream } from './stats-stream.js'

const stats = {
  summary: 'Figures of this node',
  response: { 200: StatsSchema, ...errorAnswers },
}

/** `GET /stats`, and `GET /stats/stream`: the same each second. */
export async function registerFigures(app: ControlApp, options: ControlOptions): Promise<void> {
  const { control } = options
  app.get('/stats', { config: { operation: 'stats' }, schema: stats }, async () => control.stats())
  await registerStatsStream(app, options)
}
