import { maybe } from '../config/option.js'
import { integer } from '../config/quantity.js'
import { defineCommand, type ValuesOf } from './command.js'
import { connect, connectionOptions } from './connection.js'
import { CommandError, type ExitCode, exitCodes } from './exit-code.js'
import { text } from './kinds.js'
import { reportList, reportRecord } from './report.js'
import type { Terminal } from './terminal.js'

const limit = maybe(integer({ min: '1', max: '1000' }), {
  name: 'limit',
  doc: 'Rows, at most; without it, as many as the server has on a page.',
})

const after = maybe(text('PLACE', 'what the page before said'), {
  name: 'after',
  doc: 'Goes on behind the last page: what that said.',
})

const prefix = maybe(text('TEXT', 'a text'), { name: 'prefix', doc: 'Only names that start so.' })

const uid = maybe(text('UID', "a user's id"), { name: 'uid', doc: 'Only those of this user.' })

const channel = maybe(text('CHANNEL', "a channel's name"), {
  name: 'channel',
  doc: 'Only those that listen on this channel.',
})

/** The options that every listing has. */
const pageOptions = { limit, after, ...connectionOptions }

/** `downpipe users`. */
export const users = defineCommand({
  name: 'users',
  summary: 'who is online, since when, how far behind',
  words: '[UID]',
  count: [0, 1],
  doc: 'Lists the users who are online, of all nodes; with a UID, says all about that one.',
  options: { prefix, channel, ...pageOptions },
  run: async ({ values, words: [one], terminal }) => {
    const { prefix, channel } = values
    return await show('users', one, { prefix, channel }, values, terminal)
  },
})

/** `downpipe channels`. */
export const channels = defineCommand({
  name: 'channels',
  summary: 'which channels somebody listens on',
  words: '[CHANNEL]',
  count: [0, 1],
  doc: 'Lists the channels that somebody listens on, of all nodes; with a CHANNEL, says all about that one.',
  options: { prefix, ...pageOptions },
  run: async ({ values, words: [one], terminal }) => {
    const { prefix } = values
    return await show('channels', one, { prefix }, values, terminal)
  },
})

/** `downpipe connections`. */
export const connections = defineCommand({
  name: 'connections',
  summary: 'every stream and waiting poll',
  words: '',
  count: [0, 0],
  doc: 'Lists the open streams and waiting polls of all nodes: whose they are, since when, and how far behind.',
  options: { uid, channel, ...pageOptions },
  run: async ({ values, terminal }) => {
    const { uid, channel } = values
    return await show('connections', undefined, { uid, channel }, values, terminal)
  },
})

/** Writes a page of a listing, or the one record that is named. */
async function show(
  list: 'users' | 'channels' | 'connections',
  one: string | undefined,
  filters: Readonly<Record<string, string | undefined>>,
  values: ValuesOf<typeof pageOptions>,
  terminal: Terminal,
): Promise<ExitCode> {
  if (one !== undefined && Object.values(filters).some(filter => filter !== undefined)) {
    const names = Object.keys(filters).map(name => `--${name}`)
    throw new CommandError(exitCodes.usage, `${names.join(', ')}: only for the list, not with one of it`)
  }
  const { limit, after } = values
  const page = { after, ...(limit !== undefined && { limit: String(limit) }) }
  const service = connect(values, terminal)
  if (one === undefined) {
    reportList(await service.get(`/${list}`, { ...filters, ...page }), list, values, terminal)
  } else {
    reportRecord(await service.get(`/${list}/${encodeURIComponent(one)}`, page), values, terminal)
  }
  return exitCodes.done
}
