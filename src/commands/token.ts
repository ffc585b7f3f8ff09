import { audience as audienceName } from '../config/kind.js'
import { many, maybe } from '../config/option.js'
import { defineCommand } from './command.js'
import { jsonOption } from './connection.js'
import { CommandError, exitCodes } from './exit-code.js'
import { json, text } from './kinds.js'
import { mint, mintingOptions, secretOf } from './minting.js'

/** Where the secret is looked for when no option names it. */
const variable = 'DOWNPIPE_JWT_SECRET'

/** `downpipe token`. */
export const token = defineCommand({
  name: 'token',
  summary: 'sign a token for a user (a JWT), without asking anybody',
  words: '',
  count: [0, 0],
  doc: `Prints a JWT that a server which knows the secret (--jwt-secret) takes for a token, until it expires. Nothing is asked
    and nothing is stored.`,
  options: {
    uid: maybe(text('UID', "a user's id"), { name: 'uid', doc: 'Whose token it is. Required.' }),
    ...mintingOptions(variable),
    visibleTo: many(text('UID', "a user's id"), {
      name: 'visible-to',
      doc: 'Users who are told when this one comes and goes. A list.',
    }),
    info: maybe(json, { name: 'info', doc: 'Any JSON for the page, in ready.info.' }),
    audience: maybe(audienceName, {
      name: 'audience',
      doc: 'The aud claim, where the server asks for one (--jwt-audience).',
    }),
    json: jsonOption,
  },
  run: async ({ values, terminal }) => {
    const { uid, channels, visibleTo, info, audience, expiresMs } = values
    if (uid === undefined) throw new CommandError(exitCodes.usage, 'whose token? give --uid')
    const claims = {
      sub: uid,
      channels,
      ...(visibleTo.length > 0 && { visibleTo }),
      ...(info !== undefined && { info: info.value }),
      ...(audience !== undefined && { aud: audience }),
    }
    const secret = secretOf(values, variable, terminal)
    const { jwt, expires } = await mint(claims, { secret, type: 'JWT', expiresMs })
    terminal.write(`${values.json ? JSON.stringify({ token: jwt, expires }) : jwt}\n`)
    return exitCodes.done
  },
})
