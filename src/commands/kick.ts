import { maybe } from '../config/option.js'
import { duration } from '../config/quantity.js'
import { defineCommand } from './command.js'
import { connect, connectionOptions } from './connection.js'
import { exitCodes } from './exit-code.js'
import { report } from './report.js'

/** `downpipe kick`. */
export const kick = defineCommand({
  name: 'kick',
  summary: 'close the connections of a user, and hold the user off for a moment',
  words: 'UID',
  count: [1, 1],
  doc: 'Closes the connections of a user, forgets who it is, and refuses it for a time. Not a ban: that is for the CMS to keep.',
  options: {
    holdMs: maybe(duration({ min: '1ms', max: '24h', zero: 'it may come back at once' }), {
      name: 'hold',
      doc: 'How long the user is refused; without it, as long as the server has it (5s).',
    }),
    ...connectionOptions,
  },
  run: async ({ values, words: [uid], terminal }) => {
    const { holdMs } = values
    const body = { uid, ...(holdMs !== undefined && { hold: holdMs / 1_000 }) }
    report(await connect(values, terminal).post('/kick', body), `user ${uid} was kicked`, values, terminal)
    return exitCodes.done
  },
})
