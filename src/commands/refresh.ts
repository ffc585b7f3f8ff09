import { defineCommand } from './command.js'
import { connect, connectionOptions } from './connection.js'
import { exitCodes } from './exit-code.js'
import { report } from './report.js'

/** `downpipe refresh`. */
export const refresh = defineCommand({
  name: 'refresh',
  summary: 'have the CMS asked again about a user, now',
  words: 'UID',
  count: [1, 1],
  doc: `Has the CMS asked again what a user may read, and applies the difference to the live connections: after roles have
    changed, say.`,
  options: connectionOptions,
  run: async ({ values, words: [uid], terminal }) => {
    const answer = await connect(values, terminal).post('/refresh', { uid })
    report(answer, `user ${uid} is asked about again`, values, terminal)
    return exitCodes.done
  },
})
