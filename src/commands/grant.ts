import { maybe } from '../config/option.js'
import { defaultSite } from '../config/site-name.js'
import { grantType } from '../grant-type.js'
import { defineCommand } from './command.js'
import { jsonOption, siteOf, siteOption } from './connection.js'
import { CommandError, exitCodes } from './exit-code.js'
import { text } from './kinds.js'
import { mint, mintingOptions, secretOf } from './minting.js'

/** Where the secret is looked for when no option names it. */
const variable = 'DOWNPIPE_GRANT_SECRET'

/** `downpipe grant`. */
export const grant = defineCommand({
  name: 'grant',
  summary: 'sign a grant: permission for the channels of a page',
  words: '',
  count: [0, 0],
  doc: `Prints a signed permission to read channels, which a page hands to the server (grant=…) beside its token, or without
    one. The server must know the secret (--grant-secret). Nothing is asked and nothing is stored.`,
  options: {
    uid: maybe(text('UID', "a user's id"), {
      name: 'uid',
      doc: 'Only this user may use it. Without it: whoever has it.',
    }),
    ...mintingOptions(variable),
    site: siteOption,
    json: jsonOption,
  },
  run: async ({ values, terminal }) => {
    const { uid, channels, expiresMs } = values
    if (channels.length === 0) throw new CommandError(exitCodes.usage, 'for which channels? give --channel')
    const claims = {
      channels,
      aud: siteOf(values, terminal) ?? defaultSite,
      ...(uid !== undefined && { uid }),
    }
    const secret = secretOf(values, variable, terminal)
    const { jwt, expires } = await mint(claims, { secret, type: grantType, expiresMs })
    terminal.write(`${values.json ? JSON.stringify({ grant: jwt, expires }) : jwt}\n`)
    return exitCodes.done
  },
})
