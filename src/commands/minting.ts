import { SignJWT } from 'jose'
import { readText, unreadable } from '../config/key-file.js'
import { filePath, signingSecret } from '../config/kind.js'
import { many, maybe, one } from '../config/option.js'
import { duration } from '../config/quantity.js'
import type { ValuesOf } from './command.js'
import { CommandError, exitCodes } from './exit-code.js'
import { text } from './kinds.js'
import type { Terminal } from './terminal.js'

/** The options of a command that signs something; `variable` may hold the secret, too. */
export const mintingOptions = (variable: string) => ({
  channels: many(text('CHANNEL', 'a channel, or a prefix and one trailing star'), {
    name: 'channel',
    doc: 'A channel that may be read, or a prefix (public_*), which allows but subscribes to nothing. A list.',
  }),
  expiresMs: one(duration({ min: '1s', max: '8760h' }), {
    name: 'expires',
    default: '1h',
    doc: 'How long it is good, from now.',
  }),
  secret: maybe(signingSecret, {
    name: 'secret',
    isSecret: true,
    doc: `The secret that the server knows, too. The command line is visible to every user of the machine: prefer
      --secret-file or ${variable} (the first, where it holds several).`,
  }),
  secretFile: maybe(filePath, { name: 'secret-file', doc: 'A file that holds the secret and nothing else.' }),
})

/**
 * The secret to sign with. `variable` is where it is looked for when no option names it; of several the first counts.
 *
 * @throws CommandError that does not repeat it
 */
export function secretOf(
  { secret, secretFile }: Pick<ValuesOf<ReturnType<typeof mintingOptions>>, 'secret' | 'secretFile'>,
  variable: string,
  terminal: Terminal,
): string {
  if (secret !== undefined) return secret
  if (secretFile !== undefined) return parsed('--secret-file', fileText(secretFile, terminal))
  const [first = ''] = (terminal.env[variable] ?? '').split(',')
  if (first.trim() !== '') return parsed(variable, first)
  throw new CommandError(exitCodes.usage, `no secret: give one by ${variable}, --secret-file or --secret`)
}

/** Signs claims, good for `expiresMs` from now. */
export async function mint(
  claims: Readonly<Record<string, unknown>>,
  { secret, type, expiresMs }: { readonly secret: string; readonly type: string; readonly expiresMs: number },
): Promise<{ readonly jwt: string; readonly expires: number }> {
  const issued = Math.floor(Date.now() / 1_000)
  const expires = issued + Math.ceil(expiresMs / 1_000)
  const jwt = await new SignJWT({ ...claims, iat: issued, exp: expires })
    .setProtectedHeader({ alg: 'HS256', typ: type })
    .sign(new TextEncoder().encode(secret))
  return { jwt, expires }
}

function fileText(path: string, { readFile }: Terminal): string {
  const found = readText(path, readFile)
  if (found instanceof Error) throw new CommandError(exitCodes.usage, `--secret-file: ${unreadable(found)}`)
  return found
}

function parsed(source: string, given: string): string {
  const secret = signingSecret.parse(given.trim())
  if (secret !== undefined) return secret
  throw new CommandError(exitCodes.usage, `${source} is not allowed; it must be ${signingSecret.what}`)
}
