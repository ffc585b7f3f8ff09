import { parseArgs } from 'node:util'
import type { LoadProgram } from './machine/load-process.js'

/** The numbers that a run may be given: default, value with `--smoke`, what it means. */
const NUMBERS = {
  connections: [10_000, 200, 'subscribers (all scenarios but throughput and resume)'],
  subscribers: [5_000, 200, 'subscribers while several publish (throughput)'],
  rounds: [3, 1, 'how often each server is measured, in turn'],
  window: [100, 50, 'connections that are being opened at a time'],
  settle: [
    60,
    0.2,
    'seconds of rest, before a broadcast and again after it, until idle memory is read (connections)',
  ],
  broadcasts: [10, 3, 'lone broadcasts in a round (fan-out, poll)'],
  pause: [0.5, 0.1, 'seconds between two lone broadcasts (fan-out)'],
  messages: [640, 64, 'messages in a round of several publishers, all publishers together (throughput)'],
  pace: [100, 500, 'messages a second (steady)'],
  seconds: [60, 1, 'seconds for which they are published (steady)'],
  warmup: [20, 0.2, 'seconds at five times the pace before that (steady)'],
  flood: [10, 0.5, 'seconds for which all are kept polling (poll)'],
  missed: [1_000, 50, 'messages that each has missed when it returns (storm, resume)'],
  spread: [2, 0.2, 'seconds within which all return (storm)'],
  cms: [20, 1, 'ms that the CMS takes to say who somebody is (storm)'],
  stored: [100_000, 2_000, 'messages in the log, of all channels; and a tenth of them (resume)'],
  resumes: [100, 10, 'subscribers that return, one after the other (resume)'],
  text: [60, 60, 'bytes of text in a message, beside some 50 of stamp'],
} as const

type NumberName = keyof typeof NUMBERS

/** What a run is to do. The numbers are those that `--help` explains. */
export type Options = Readonly<Record<NumberName, number>> & {
  /** Scenarios, by name, in order. */
  readonly scenarios: readonly string[]
  /** Servers, by name. */
  readonly servers: readonly string[]
  /** How many publishers publish at a time, one measurement each. */
  readonly publishers: readonly number[]
  /** Which program reads; `undefined`: the native one where it can be compiled. */
  readonly reader: LoadProgram['kind'] | undefined
  /** The Node that runs the servers: path of the program. */
  readonly node: string
  /** Whether the loopback may be steered: see {@link steerLoopback}. */
  readonly steering: boolean
  /** A tiny run that looks for faults; its figures mean nothing. */
  readonly smoke: boolean
  /** Whether to write `bench/results/`. */
  readonly save: boolean
}

/** Says what is wrong with a command line. */
export class UsageError extends Error {}

/**
 * Reads a command line.
 *
 * @returns `'help'` if that is what was asked for
 * @throws UsageError if something is unknown, missing or not a number
 */
export function readOptions(
  args: readonly string[],
  scenarios: readonly string[],
  servers: readonly string[],
): Options | 'help' {
  const { values, positionals } = parse(args)
  if (values.help) return 'help'
  const number = (name: NumberName): number => {
    const [usual, smoke] = NUMBERS[name]
    const text = values[name]
    if (typeof text !== 'string') return values.smoke ? smoke : usual
    return readNumber(name, text)
  }
  const isSmoke = values.smoke === true
  return {
    connections: number('connections'),
    subscribers: number('subscribers'),
    rounds: number('rounds'),
    window: number('window'),
    settle: number('settle'),
    broadcasts: number('broadcasts'),
    pause: number('pause'),
    messages: number('messages'),
    pace: number('pace'),
    seconds: number('seconds'),
    warmup: number('warmup'),
    flood: number('flood'),
    missed: number('missed'),
    spread: number('spread'),
    cms: number('cms'),
    stored: number('stored'),
    resumes: number('resumes'),
    text: number('text'),
    scenarios: positionals.length === 0 && isSmoke ? scenarios : chosen('SCENARIO', positionals, scenarios),
    servers: values.servers === undefined ? servers : chosen('--servers', values.servers.split(','), servers),
    publishers: (values.publishers ?? '1,16,64').split(',').map(text => readNumber('publishers', text)),
    reader: values.reader === undefined ? undefined : readerKind(values.reader),
    node: values.node ?? process.execPath,
    steering: values['no-steering'] !== true,
    smoke: isSmoke,
    save: values.save === true,
  }
}

/** What `--help` prints. */
export function usage(scenarios: readonly string[], servers: readonly string[]): string {
  const line = (name: string, meaning: string) => `  --${name}`.padEnd(22) + meaning
  return [
    'npm run bench -- SCENARIO… [options]',
    '',
    `  SCENARIO            ${scenarios.join(', ')}`,
    ...Object.entries(NUMBERS).map(([name, [usual, , meaning]]) =>
      line(`${name} N`, `${meaning} (${usual})`),
    ),
    line('publishers N,…', 'publishers at a time, one measurement for each number (1,16,64; throughput)'),
    line('servers NAME,…', `what to measure (${servers.join(',')})`),
    line('reader KIND', 'the program that reads: native or node (native where there is a C compiler)'),
    line('node PATH', 'the Node that runs the servers (the one that runs this)'),
    line('no-steering', 'leave the receiving half of the loopback on the core that sends'),
    line('smoke', 'a tiny run of all scenarios, or of those named, that only looks for faults'),
    line('save', 'write the figures to bench/results/'),
    line('help', 'this'),
  ].join('\n')
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        connections: { type: 'string' },
        subscribers: { type: 'string' },
        rounds: { type: 'string' },
        window: { type: 'string' },
        settle: { type: 'string' },
        broadcasts: { type: 'string' },
        pause: { type: 'string' },
        messages: { type: 'string' },
        pace: { type: 'string' },
        seconds: { type: 'string' },
        warmup: { type: 'string' },
        flood: { type: 'string' },
        missed: { type: 'string' },
        spread: { type: 'string' },
        cms: { type: 'string' },
        stored: { type: 'string' },
        resumes: { type: 'string' },
        text: { type: 'string' },
        publishers: { type: 'string' },
        servers: { type: 'string' },
        reader: { type: 'string' },
        node: { type: 'string' },
        'no-steering': { type: 'boolean' },
        smoke: { type: 'boolean' },
        save: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function readNumber(name: string, text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value < 1e7) return value
  throw new UsageError(`--${name} wants a number, not "${text}"`)
}

function readerKind(text: string): LoadProgram['kind'] {
  if (text === 'node' || text === 'native') return text
  throw new UsageError(`--reader: ${text} is not one of node, native`)
}

function chosen(what: string, names: readonly string[], known: readonly string[]): readonly string[] {
  const unknown = names.find(name => !known.includes(name))
  if (names.length === 0 || unknown !== undefined) {
    throw new UsageError(`${what}: ${unknown ?? 'nothing'} is not one of ${known.join(', ')}`)
  }
  return names
}
