import { parseArgs } from 'node:util'
import type { Option } from './option.js'
import { options } from './options.js'
import { missing, printable, unknownName } from './problem.js'
import { type Given, itemsOf, type Source } from './source.js'

const byName = new Map(options.map(option => [option.name, option]))

/** Those that end the program before any configuration is read. */
const answered = ['help', 'version']

const known = [...byName.keys(), ...answered].map(name => `--${name}`)

const parserOptions = {
  ...Object.fromEntries(options.map(({ name, isFlag }) => [name, { type: parserType(isFlag) }])),
  help: { type: parserType(true), short: 'h' },
  version: { type: parserType(true), short: 'v' },
}

function parserType(isFlag: boolean): 'boolean' | 'string' {
  return isFlag ? 'boolean' : 'string'
}

/**
 * Reads a command line (what follows the sub-command). Lists collect what is repeated; of the others the last
 * one counts, so that a script may append to a command line. Arguments that belong to no option are counted
 * but not repeated in problems: `--service-key KEY1 KEY2` is an easy mistake.
 */
export function readCommandLine(argv: readonly string[]): Source {
  const given = new Map<Option, Given>()
  const problems = new Set<string>()
  const tokens = tokenize(argv)
  for (const [position, token] of tokens.entries()) {
    const before = tokens[position - 1]
    if (token.kind === 'positional' && !isValueOfUnknown(before)) problems.add(stray(token.index))
    if (token.kind !== 'option' || answered.includes(token.name)) continue
    // `-kKEY` is a token for each letter: saying them one by one would tell the key.
    if (token.index === before?.index) continue
    const option = byName.get(token.name)
    if (option === undefined) {
      problems.add(unknownName(printable(token.rawName), token.rawName, known))
      continue
    }
    const source = `--${option.name}`
    const items = itemsOf(option, token.value ?? (option.isFlag ? 'true' : ''))
    const earlier = option.isList ? (given.get(option)?.items ?? []) : []
    if (items.join('') === '') problems.add(missing(option, source))
    else given.set(option, { option, source, items: [...earlier, ...items] })
  }
  return { given: [...given.values()], problems: [...problems] }
}

type Token = ReturnType<typeof parse>[number]

function parse(argv: readonly string[]) {
  const args = [...argv]
  return parseArgs({ args, options: parserOptions, strict: false, allowPositionals: true, tokens: true })
    .tokens
}

/**
 * `--heartbeat --dev`: not strict, the parser takes the second for the value of the first. Here it is an
 * empty value.
 */
function tokenize(argv: readonly string[]): Token[] {
  const tokens = parse(argv)
  const eater = tokens.find(token => token.kind === 'option' && !token.inlineValue && isOption(token.value))
  if (eater?.kind !== 'option') return tokens
  return tokenize(argv.with(eater.index, `${eater.rawName}=`))
}

function isOption(text: string | undefined): boolean {
  return text !== undefined && known.includes(text.replace(/=.*/s, ''))
}

/** The word after an option that does not exist was most likely meant to be its value. */
function isValueOfUnknown(before: Token | undefined): boolean {
  return before?.kind === 'option' && before.value === undefined && !known.includes(`--${before.name}`)
}

function stray(index: number): string {
  return `argument ${index + 1}: belongs to no option; options start with --, commas separate the items of a list`
}
