import type { StreamEvent } from '../client/node/event-stream.js'
import { maybe } from '../config/option.js'
import { member, parseJson } from '../remote/ask.js'
import { defineCommand } from './command.js'
import { connect, connectionOptions } from './connection.js'
import { exitCodes } from './exit-code.js'
import { follow } from './follow.js'
import { text } from './kinds.js'
import { type Terminal, visible } from './terminal.js'

/** `downpipe tail`. */
export const tail = defineCommand({
  name: 'tail',
  summary: 'print what is published to channels, as it comes',
  words: 'CHANNEL…',
  count: [1, 200],
  doc: `Prints every message of the channels, and what is sent to everybody, with its time and id, until Ctrl-C. A stream that
    is cut is opened again where it was; if messages may be missing all the same, it says so.

    With --json each line is an object with one of message, ready, gap and close.`,
  options: {
    since: maybe(text('CURSOR', 'a cursor, or a Unix time in ms'), {
      name: 'since',
      doc: 'Begins with what came after this id, or after this Unix time in ms; 0: with all that is held. Without it: now.',
    }),
    ...connectionOptions,
  },
  run: async ({ values, words, terminal }) => {
    const query = new URLSearchParams()
    for (const channel of words) query.append('channel', channel)
    if (values.since !== undefined) query.set('since', values.since)
    const print = values.json ? printJson : printText
    const events = follow({
      service: connect(values, terminal),
      path: `/stream?${query}`,
      signal: terminal.interruption(),
      onTrouble: sentence => terminal.complain(`${sentence}\n`),
    })
    for await (const event of events) print(event, terminal)
    return exitCodes.done
  },
})

function printJson({ type: event, id, data }: StreamEvent, terminal: Terminal): void {
  const value = parseJson(data)?.value
  if (event === 'heartbeat' || value === undefined) return
  terminal.write(`${JSON.stringify({ ...(id !== undefined && { id }), [event]: value })}\n`)
}

function printText({ type: event, id, data }: StreamEvent, terminal: Terminal): void {
  const value = parseJson(data)?.value
  if (event === 'message') terminal.write(`${messageLine(id, value)}\n`)
  else if (event === 'ready')
    terminal.complain(`listening on ${visible(namesOf(member(value, 'channels')))}\n`)
  else if (event === 'close') terminal.complain(`closed: ${visible(String(member(value, 'reason')))}\n`)
  else if (event === 'gap') {
    terminal.write(`-- messages may be missing here (${visible(String(member(value, 'reason')))}) --\n`)
  }
}

/** Time, id, where to, what kind, data. What is never stored has no id, and the time at which it came. */
function messageLine(id: string | undefined, message: unknown): string {
  const storedMs = Number(id?.split('-')[0] ?? Date.now())
  const channel = member(message, 'channel')
  const target = typeof channel === 'string' ? channel : namesOf(member(message, 'channels'))
  const type = member(message, 'type')
  const parts = [new Date(storedMs).toISOString(), id ?? '-', target]
  if (typeof type === 'string') parts.push(`[${type}]`)
  return visible([...parts, JSON.stringify(member(message, 'data'))].join('  '))
}

function namesOf(value: unknown): string {
  return Array.isArray(value) && value.length > 0 ? value.join(', ') : '-'
}
