// Makes a minified script compress better: its variables get other short names, and what may stand in any order gets another one. What
// is the same letter by letter costs next to nothing, while a minifier looks at the names' lengths only. It takes 6 to 7 % off.

import { gzipSync } from 'node:zlib'
import { parse } from 'acorn'
import { analyze } from 'eslint-scope'
import { gzip } from 'pako'

// Those first that are met most often anyway.
const names = [...'netroaciusfldvhpgmwybEkTMDOSCxILNjARUqPXzGHBFQKVWJYZ']

/** The variables of a script, each with the places where its name stands. */
function readVariables(program) {
  const manager = analyze(program, { ecmaVersion: 5 })
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

const childrenOf = node =>
  Object.values(node)
    .flat()
    .filter(child => typeof child?.type === 'string')

/** Whether it is the same whenever it is evaluated: nothing, a literal, a function, or made of such. */
function isConstant(node) {
  if (!node || /^(Literal|FunctionExpression)$/.test(node.type)) return true
  // An object as an operand may run what it likes.
  if (/^(Unary|Binary)Expression$/.test(node.type))
    return childrenOf(node).every(({ type }) => type === 'Literal')
  return /^(Array|Object)Expression$/.test(node.type) && valuesIn(node).every(isConstant)
}

/** Whether it only reads. What a getter might do, it does not do here. */
function isHarmless(node) {
  if (isConstant(node) || node.type === 'Identifier') return true
  return /^(Array|Object|Member)Expression$/.test(node.type) && valuesIn(node).every(isHarmless)
}

/** What is evaluated in an expression: not the keys of an object. */
function valuesIn(node) {
  return node.type === 'ObjectExpression' ? node.properties.map(({ value }) => value) : childrenOf(node)
}

/**
 * Neighbours that may stand in any order: functions, variables with values that are always the same, and properties. Nobody here asks for
 * the order of an object's keys.
 */
function readOrders(node) {
  const [candidates, isMovable] =
    {
      BlockStatement: [node.body, ({ type }) => type === 'FunctionDeclaration'],
      VariableDeclaration: [node.declarations, ({ init }) => isConstant(init)],
      ObjectExpression: [node.properties, ({ value }) => isHarmless(value)],
    }[node.type] ?? []
  const orders = []
  let parts = []
  for (const candidate of [...(candidates ?? []), undefined]) {
    if (candidate && isMovable(candidate)) parts.push(candidate)
    else {
      const names = new Set(parts.map(({ id, key }) => (id ?? key).name ?? key.value))
      // Of two with the same name, the last one counts.
      if (parts.length > 1 && names.size === parts.length) orders.push(parts)
      parts = []
    }
  }
  return [...orders, ...childrenOf(node).flatMap(readOrders)]
}

/**
 * A script as pieces: what stays as it is, as text; variables; and what may stand in any order, as `parts`, each of them pieces, with what
 * stays `between` them.
 */
function readPieces(code, variables, orders) {
  const starts = new Map()
  for (const variable of variables) for (const place of variable.places) starts.set(place, variable)
  const piecesOf = ({ start, end }) => {
    const pieces = []
    let text = ''
    for (let place = start; place < end; ) {
      const piece = starts.get(place)
      if (piece) pieces.push(text, piece)
      text = piece ? '' : text + code[place]
      place = piece?.end ?? place + 1
    }
    return [...pieces, text]
  }
  const groups = []
  // What is inside of others comes first.
  for (const order of orders.toReversed()) {
    const group = {
      parts: order.map(piecesOf),
      between: order.slice(1).map(({ start }, index) => code.slice(order[index].end, start)),
      end: order.at(-1).end,
    }
    starts.set(order[0].start, group)
    groups.push(group)
  }
  return { pieces: piecesOf({ start: 0, end: code.length }), groups }
}

/** Writes a script, and notes where each variable's name stands now. */
function write(pieces, variables, bytes) {
  let end = 0
  const writeAll = some => {
    for (const piece of some) {
      if (typeof piece === 'string') end += bytes.latin1Write(piece, end)
      else if (piece.name) {
        piece.spots.push(end)
        bytes[end++] = piece.name.charCodeAt(0)
      } else {
        piece.parts.forEach((part, index) => {
          writeAll(part)
          end += bytes.latin1Write(piece.between[index] ?? '', end)
        })
      }
    }
  }
  for (const variable of variables) variable.spots = []
  writeAll(pieces)
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
function rename(variable, from, to, bytes) {
  const touched = new Set([variable])
  for (const one of touched) {
    for (const other of one.neighbours) if (other.name === from || other.name === to) touched.add(other)
  }
  for (const one of touched) {
    one.name = one.name === from ? to : from
    for (const spot of one.spots) bytes[spot] = one.name.charCodeAt(0)
  }
}

/** Puts the part at one place at another. The same with the places exchanged undoes it. */
function move({ parts }, from, to) {
  parts.splice(to, 0, ...parts.splice(from, 1))
}

// How many of the tries are for the order.
const forOrder = 0.3

/** A script, and what may be changed in it. */
function readScript(code) {
  // Places in the text are places in the bytes, too.
  if (Buffer.byteLength(code) !== code.length) throw new Error('the script has more than ASCII in it')
  const program = parse(code, { ecmaVersion: 5, ranges: true })
  const { variables, globals } = readVariables(program)
  const { pieces, groups } = readPieces(code, variables, readOrders(program))
  const bytes = Buffer.alloc(code.length)
  write(pieces, variables, bytes)
  return { variables, globals, pieces, groups, bytes }
}

/**
 * Searches by simulated annealing for the names and the order by which a script compresses best, in the same way each time: at first it
 * puts up with `warmth` bytes more where they may lead to less.
 *
 * @param code a script in ES5, minified
 * @param tries how many changes to try; each takes as long as compressing the script
 * @returns what `squeeze` takes: the variables' names, and the numbers of the parts of each group
 */
export function search(code, tries) {
  const { variables, globals, pieces, groups, bytes } = readScript(code)
  const first = groups.map(({ parts }) => [...parts])
  const draw = createDraw()
  const below = count => Math.floor(draw() * count)

  /** Changes something at random. Returns what undoes it, or nothing if it has changed nothing. */
  const change = () => {
    if (draw() < forOrder) {
      const group = groups[below(groups.length)]
      if (!group) return undefined
      const [from, to] = [below(group.parts.length), below(group.parts.length)]
      if (from === to) return undefined
      const moveAll = (...places) => {
        move(group, ...places)
        write(pieces, variables, bytes)
      }
      moveAll(from, to)
      return () => moveAll(to, from)
    }
    const variable = variables[below(variables.length)]
    const from = variable?.name
    const to = names[below(draw() * names.length)]
    if (!variable || to === from || globals.has(to)) return undefined
    rename(variable, from, to, bytes)
    return () => rename(variable, to, from, bytes)
  }

  const anneal = (measure, count, warmth) => {
    let size = measure()
    for (let left = count; left > 0; left--) {
      const undo = change()
      if (!undo) continue
      const next = measure()
      if (next > size && draw() > Math.exp((size - next) / (warmth * (left / count)))) undo()
      else size = next
    }
  }
  // As Chromium's zlib does it, which is Node's; in the end also as the original does, which finds other matches and is slow here.
  const fast = () => gzipSync(bytes, { level: 9 }).length
  const slow = () => gzip(bytes, { level: 9, legacyHash: true }).length
  anneal(fast, tries, 0.5)
  anneal(() => Math.max(fast(), slow()), tries / 40, 0.1)
  return {
    names: variables.map(({ name }) => name).join(''),
    orders: groups.map(({ parts }, index) => parts.map(part => first[index].indexOf(part)).join()).join(' '),
  }
}

/**
 * Gives a script the names and the order that were found for it.
 *
 * @returns a script that does the same
 */
export function squeeze(code, found) {
  const { variables, pieces, groups, bytes } = readScript(code)
  for (const [index, variable] of variables.entries()) variable.name = found.names[index]
  const orders = found.orders.split(' ')
  for (const [index, group] of groups.entries()) {
    group.parts = orders[index].split(',').map(number => group.parts[number])
  }
  write(pieces, variables, bytes)
  return String(bytes)
}
