import { parseArgs } from 'node:util'
import type { Option } from './option.js'
import { options } from './options.js'
import { missing, printable, unknownName } from './problem.js'
import { type Given, itemsOf, type Source } from './source.js'

/** Those that end the program before any configuration is read. */
const answered = ['help', 'version']

/** A command line, read. */
export interface CommandLine extends Source {
  /** What belongs to no option, in its order. */
  readonly words: readonly string[]
}

/** What may stand on a command line. */
interface Grammar {
  readonly byName: ReadonlyMap<string, Option>
  /** The names with their dashes, those that are answered among them. */
  readonly known: readonly string[]
  readonly parserOptions: Readonly<Record<string, { type: 'boolean' | 'string'; short?: string }>>
}

function grammarOf(options: readonly Option[]): Grammar {
  return {
    byName: new Map(options.map(option => [option.name, option])),
    known: [...options.map(({ name }) => name), ...answered].map(name => `--${name}`),
    parserOptions: {
      ...Object.fromEntries(options.map(({ name, isFlag }) => [name, { type: parserType(isFlag) }])),
      help: { type: parserType(true), short: 'h' },
      version: { type: parserType(true), short: 'v' },
    },
  }
}

function parserType(isFlag: boolean): 'boolean' | 'string' {
  return isFlag ? 'boolean' : 'string'
}

const serverGrammar = grammarOf(options)

/**
 * Reads the server's command line (what follows the sub-command). Lists collect what is repeated; of the others the last
 * one counts, so that a script may append to a command line. Arguments that belong to no option are counted
 * but not repeated in problems: `--service-key KEY1 KEY2` is an easy mistake.
 */
export function readCommandLine(argv: readonly string[]): Source {
  const { given, problems, strays } = read(argv, serverGrammar)
  return { given, problems: [...problems, ...strays.map(({ index }) => stray(index))] }
}

/** Reads the command line of a command that takes words, and these options. What follows `--` is words. */
export function readCommandWords(argv: readonly string[], options: readonly Option[]): CommandLine {
  const { given, problems, strays } = read(argv, grammarOf(options))
  return { given, problems, words: strays.map(({ value }) => value) }
}

interface Stray {
  readonly index: number
  readonly value: string
}

function read(argv: readonly string[], grammar: Grammar): Source & { readonly strays: readonly Stray[] } {
  const given = new Map<Option, Given>()
  const problems = new Set<string>()
  const strays: Stray[] = []
  const tokens = tokenize(argv, grammar)
  for (const [position, token] of tokens.entries()) {
    const before = tokens[position - 1]
    if (token.kind === 'positional' && !isValueOfUnknown(before, grammar)) strays.push(token)
    if (token.kind !== 'option' || answered.includes(token.name)) continue
    // `-kKEY` is a token for each letter: saying them one by one would tell the key.
    if (token.index === before?.index) continue
    const option = grammar.byName.get(token.name)
    if (option === undefined) {
      problems.add(unknownName(printable(token.rawName), token.rawName, grammar.known))
      continue
    }
    const source = `--${option.name}`
    const items = itemsOf(option, token.value ?? (option.isFlag ? 'true' : ''))
    const earlier = option.isList ? (given.get(option)?.items ?? []) : []
    if (items.join('') === '') problems.add(missing(option, source))
    else given.set(option, { option, source, items: [...earlier, ...items] })
  }
  return { given: [...given.values()], problems: [...problems], strays }
}

type Token = ReturnType<typeof parse>[number]

function parse(argv: readonly string[], { parserOptions }: Grammar) {
  const args = [...argv]
  return parseArgs({ args, options: parserOptions, strict: false, allowPositionals: true, tokens: true })
    .tokens
}

/**
 * `--heartbeat --dev`: not strict, the parser takes the second for the value of the first. Here it is an
 * empty value.
 */
function tokenize(argv: readonly string[], grammar: Grammar): Token[] {
  const tokens = parse(argv, grammar)
  const eater = tokens.find(
    token => token.kind === 'option' && !token.inlineValue && isOption(token.value, grammar),
  )
  if (eater?.kind !== 'option') return tokens
  return tokenize(argv.with(eater.index, `${eater.rawName}=`), grammar)
}

function isOption(text: string | undefined, { known }: Grammar): boolean {
  return text !== undefined && known.includes(text.replace(/=.*/s, ''))
}

/** The word after an option that does not exist was most likely meant to be its value. */
function isValueOfUnknown(before: Token | undefined, { known }: Grammar): boolean {
  return before?.kind === 'option' && before.value === undefined && !known.includes(`--${before.name}`)
}

function stray(index: number): string {
  return `argument ${index + 1}: belongs to no option; options start with --, commas separate the items of a list`
}
