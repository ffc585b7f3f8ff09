import { many, maybe, toggle } from '../config/option.js'
import { duration } from '../config/quantity.js'
import { parseJson } from '../remote/ask.js'
import { defineCommand } from './command.js'
import { connect, connectionOptions } from './connection.js'
import { CommandError, exitCodes } from './exit-code.js'
import { text } from './kinds.js'
import { textOf } from './service.js'
import type { Terminal } from './terminal.js'

/** `downpipe publish`. */
export const publish = defineCommand({
  name: 'publish',
  summary: 'send a message to a channel, to users or to everybody',
  words: '[CHANNEL] [JSON|-]',
  count: [0, 2],
  doc: `Sends a message and prints its id. The data is JSON: 'true', '"a text"', '{"likes":4}'. Without it, or with -, it is
    read from the standard input.

    With --uid or --broadcast a single word is the data; two are a channel, as a label by which the page dispatches, and the
    data. What starts with a dash follows --: downpipe publish -- temperature -5`,
  options: {
    broadcast: toggle({ name: 'broadcast', doc: 'To everybody, whatever their channels.' }),
    uids: many(text('UID', "a user's id"), {
      name: 'uid',
      doc: 'To this user, on all connections; several are one message to all of them.',
    }),
    type: maybe(text('WORD', 'a word'), { name: 'type', doc: 'Any word, for the page.' }),
    callbacks: many(text('NAME', "a callback's name"), {
      name: 'callback',
      doc: 'A callback in the page; with it, only those that are named run.',
    }),
    ttlMs: maybe(duration({ min: '1s', max: '8760h', zero: 'delivered live, never replayed' }), {
      name: 'ttl',
      doc: 'How long it may be replayed to those who come back; at most as long as the server holds messages.',
    }),
    idempotencyKey: maybe(text('KEY', 'a text of up to 200 characters'), {
      name: 'idempotency-key',
      doc: 'The same message with the same key, within a few minutes, is delivered once. Makes trying again safe.',
    }),
    ...connectionOptions,
  },
  run: async ({ values, words, terminal }) => {
    const { broadcast, uids, type, callbacks, ttlMs, idempotencyKey } = values
    const isToUsers = broadcast || uids.length > 0
    const isLabelled = words.length === 2 || !isToUsers
    const [channel, given] = isLabelled ? words : [undefined, words[0]]
    if (isLabelled && channel === undefined) {
      throw new CommandError(exitCodes.usage, 'to whom? give a CHANNEL, --uid or --broadcast')
    }
    if (broadcast && uids.length > 0) {
      throw new CommandError(exitCodes.usage, '--broadcast and --uid exclude each other')
    }
    const service = connect(values, terminal)
    const answer = await service.post('/publish', {
      ...(channel !== undefined && { channel }),
      ...(broadcast && { broadcast }),
      ...(uids.length === 1 && { uid: uids[0] }),
      ...(uids.length > 1 && { uids }),
      data: await dataOf(given, terminal),
      ...(type !== undefined && { type }),
      ...(callbacks.length > 0 && { callback: callbacks }),
      ...(ttlMs !== undefined && { ttl: ttlMs / 1_000 }),
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    })
    terminal.write(values.json ? `${JSON.stringify(answer)}\n` : `${textOf(answer, 'id')}\n`)
    return exitCodes.done
  },
})

async function dataOf(given: string | undefined, terminal: Terminal): Promise<unknown> {
  const isInput = given === undefined || given === '-'
  const json = parseJson(isInput ? await terminal.readInput() : given)
  if (json !== undefined) return json.value
  throw new CommandError(
    exitCodes.usage,
    `${isInput ? 'the standard input' : 'the data'} is not JSON; a text has quotes: '"Hello"'`,
  )
}
