import { origin } from '../config/network.js'
import { maybe } from '../config/option.js'
import { duration } from '../config/quantity.js'
import { examine } from '../doctor/examination.js'
import type { Finding } from '../doctor/finding.js'
import { proxies } from '../doctor/remedies.js'
import { Visitor } from '../doctor/visitor.js'
import { siteBase, target } from '../remote/target.js'
import { defineCommand } from './command.js'
import { jsonOption, keyOf, keyOptions, siteOf, siteOption, timeoutOption } from './connection.js'
import { CommandError, exitCodes } from './exit-code.js'
import { text } from './kinds.js'
import { type Terminal, visible } from './terminal.js'

/** What stands in front of a finding, by its level. */
const marks = { good: 'ok', note: 'note', fault: 'FAULT', untested: '-' } as const

/** `downpipe doctor`. */
export const doctor = defineCommand({
  name: 'doctor',
  summary: 'look at a service from outside: what is in front of it, and what that spoils',
  words: 'URL',
  count: [1, 1],
  doc: `Looks at a service from where pages are, through whatever stands in front of it: whether it is reached at all; whether the
    stream comes at once or is held back, compressed, rewritten or cut before a sign of life; whether polls may wait; whether
    Last-Event-ID arrives; whether pages of an origin may connect; how the CMS answers about tokens; whether the clocks agree. Of
    each finding it says what it means, and which line of nginx, Apache, Varnish or Caddy to change.

    URL is what pages give to the script. With a key it publishes a few messages to a channel that nobody uses, and sees them
    arrive; it can say most so. It takes as long as two signs of life (up to 50 s, by default). Exit code 0: no fault; 1: at
    least one.`,
  options: {
    ...keyOptions,
    token: maybe(text('TOKEN|-', 'a token'), {
      name: 'token',
      isSecret: true,
      doc: "A visitor's token, to see how the CMS answers about it; - reads it from the standard input.",
    }),
    origin: maybe(origin, { name: 'origin', doc: 'The origin of your pages: may they connect?' }),
    channel: maybe(text('CHANNEL', "a channel's name"), {
      name: 'channel',
      doc: 'The channel to listen on, where the key or the token may not use any, or without both.',
    }),
    controlTarget: maybe(target, {
      name: 'control-url',
      doc: 'Where the CMS publishes, if that is elsewhere (--control-listen).',
    }),
    waitMs: maybe(duration({ min: '1s', max: '24h' }), {
      name: 'wait',
      doc: `How long to read the quiet stream. Without it: until it has been silent for as long as it ever is. What ends
        connections after minutes is seen only by waiting for minutes.`,
    }),
    site: siteOption,
    timeoutMs: timeoutOption,
    json: jsonOption,
  },
  run: async ({ values, words: [url = ''], terminal }) => {
    const found = target.parse(url)
    if (found === undefined) throw new CommandError(exitCodes.usage, `the URL must be ${target.what}`)
    const { channel, origin, timeoutMs, waitMs, controlTarget = found } = values
    const token = values.token === '-' ? (await terminal.readInput()).trim() : values.token
    const visitor = new Visitor({
      target: found,
      controlTarget,
      base: siteBase(siteOf(values, terminal)),
      key: keyOf(values, terminal),
      token,
      channel,
      origin: origin === '*' ? undefined : origin,
      timeoutMs,
      waitMs,
    })
    const findings: Finding[] = []
    for await (const finding of examine(visitor)) {
      findings.push(finding)
      if (!values.json) printFinding(finding, visitor, terminal)
    }
    visitor.close()
    const isWell = findings.every(({ level }) => level !== 'fault')
    if (values.json) {
      const document = { url: found.text, proxies: [...visitor.proxies], isWell, findings }
      terminal.write(`${JSON.stringify(document)}\n`)
    } else terminal.write(isWell ? '\nNo fault was found.\n' : '\nSomething is wrong: see FAULT above.\n')
    return isWell ? exitCodes.done : exitCodes.failed
  },
})

function printFinding(
  { check, level, seen, means, change }: Finding,
  visitor: Visitor,
  terminal: Terminal,
): void {
  terminal.write(`${marks[level].padEnd(5)}  ${check.padEnd(14)}  ${visible(seen)}\n`)
  const indent = ' '.repeat(7)
  if (means !== undefined) terminal.write(`${indent}that means: ${means}\n`)
  if (change === undefined) return
  // Of a proxy that made itself known only its own line is of use.
  const named = proxies.filter(proxy => visitor.proxies.has(proxy))
  const shown = named.length > 0 ? named : proxies
  for (const program of ['Downpipe', ...shown] as const) {
    const line = change[program]
    if (line !== undefined) terminal.write(`${indent}${program}: ${line}\n`)
  }
}
