import { defineCommand } from './command.js'
import { connect, connectionOptions } from './connection.js'
import { CommandError, exitCodes } from './exit-code.js'
import { report } from './report.js'

/** `downpipe logout`. */
export const logout = defineCommand({
  name: 'logout',
  summary: 'close the connections of a token, and refuse it',
  words: 'TOKEN|-',
  count: [1, 1],
  doc: `Closes the connections of a token, forgets it and refuses it for a minute. With - the token is read from the standard
    input, where no other user of the machine sees it.`,
  options: connectionOptions,
  run: async ({ values, words: [given = ''], terminal }) => {
    const service = connect(values, terminal)
    const token = given === '-' ? (await terminal.readInput()).trim() : given
    if (token === '') throw new CommandError(exitCodes.usage, 'there is no token')
    report(await service.post('/logout', { token }), 'the token was logged out', values, terminal)
    return exitCodes.done
  },
})
