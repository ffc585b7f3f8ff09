import { readCommandWords } from '../config/command-line.js'
import type { Option } from '../config/option.js'
import { quote, refusal } from '../config/problem.js'
import type { Given } from '../config/source.js'
import { Unreachable } from '../remote/ask.js'
import { CommandError, type ExitCode, exitCodes } from './exit-code.js'
import { type Terminal, visible } from './terminal.js'

/** The options of a command, by the names of their values. */
export type OptionTable = Readonly<Record<string, Option>>

/** The values of a command's options. */
export type ValuesOf<T extends OptionTable> = {
  readonly [P in keyof T]: T[P] extends Option<infer V> ? V : never
}

/** What makes a command. */
export interface Definition<T extends OptionTable> {
  readonly name: string
  /** What it does, in a few words, for the list of commands. */
  readonly summary: string
  /** The words that it takes, as the usage line shows them. */
  readonly words: string
  /** How many words it takes, at least and at most. */
  readonly count: readonly [least: number, most: number]
  /** What it does, in sentences; paragraphs are separated by an empty line. */
  readonly doc: string
  readonly options: T
  /** Does it. Without a number it is done. @throws CommandError, Unreachable */
  readonly run: (call: Call<T>) => Promise<ExitCode | undefined>
}

/** One call of a command. */
export interface Call<T extends OptionTable> {
  readonly values: ValuesOf<T>
  readonly words: readonly string[]
  readonly terminal: Terminal
}

/** A command of the command line. */
export interface Command extends Pick<Definition<OptionTable>, 'name' | 'summary' | 'words' | 'doc'> {
  readonly options: readonly Option[]
  /** Runs it with what follows its name. Never throws for what the user or the server did. */
  readonly run: (argv: readonly string[], terminal: Terminal) => Promise<ExitCode>
}

/** Makes a command that reads its command line and says what went wrong. */
export function defineCommand<const T extends OptionTable>(definition: Definition<T>): Command {
  const { name, summary, words, doc, options, run } = definition
  return {
    name,
    summary,
    words,
    doc,
    options: Object.values(options),
    run: async (argv, terminal) => {
      try {
        return (await run(read(definition, argv, terminal))) ?? exitCodes.done
      } catch (error) {
        if (error instanceof CommandError) {
          terminal.complain(`downpipe ${name}: ${error.message}\n`)
          return error.exitCode
        }
        if (error instanceof Unreachable) {
          terminal.complain(`downpipe ${name}: ${error.message}\n`)
          return exitCodes.unreachable
        }
        throw error
      }
    },
  }
}

/** How it is called: name, words, options. */
export function usageLine({ name, words }: Pick<Command, 'name' | 'words'>): string {
  return ['downpipe', name, words, '[options]'].filter(part => part !== '').join(' ')
}

function read<T extends OptionTable>(
  { name, words, count, options }: Definition<T>,
  argv: readonly string[],
  terminal: Terminal,
): Call<T> {
  const line = readCommandWords(argv, Object.values(options))
  const problems = [...line.problems, ...line.given.flatMap(refusals)]
  const [least, most] = count
  if (problems.length === 0 && (line.words.length < least || line.words.length > most)) {
    problems.push(`${line.words.length < least ? 'too few' : 'too many'} arguments`)
  }
  if (problems.length > 0) {
    const help = `usage: ${usageLine({ name, words })}; downpipe ${name} --help says more`
    throw new CommandError(exitCodes.usage, [...problems.map(visible), help].join('\n  '))
  }
  return { values: valuesOf(options, line.given), words: line.words, terminal }
}

function valuesOf<T extends OptionTable>(options: T, given: readonly Given[]): ValuesOf<T> {
  const entries = Object.entries<Option>(options).map(([property, option]) => {
    const reading = option.read(given.find(candidate => candidate.option === option)?.items ?? [])
    return [property, reading.ok ? reading.value : option.default]
  })
  // Each property has the type of its own row, which the compiler cannot follow through a loop.
  return Object.fromEntries(entries) as ValuesOf<T>
}

function refusals({ option, source, items }: Given): string[] {
  const reading = option.read(items)
  if (reading.ok) return []
  return reading.refused.map(index => {
    const item = items[index]
    return refusal(option, source, typeof item === 'string' && !option.isSecret ? quote(item) : 'the value')
  })
}
