import { isRecord } from '../record.js'
import { visible } from './terminal.js'

/** Names that are written out of a list in a cell; the others are counted. */
const namesShown = 4

/** Unix times in ms from here on (2001) are taken for times where a field is called `since`. */
const firstTimeMs = 1_000_000_000_000

/** A table with a column for each field that a row has, in the order in which they come up. Nothing known about them. */
export function tableText(rows: readonly unknown[]): string {
  const records = rows.map(row => new Map(fieldsOf(row)))
  const names = [...new Set(records.flatMap(record => [...record.keys()]))]
  if (names.length === 0) return 'none\n'
  const cells = records.map(record => names.map(name => cellText(name, record.get(name))))
  const isNumeric = names.map(name => records.every(record => isNumber(name, record.get(name))))
  return alignedText([names.map(name => visible(name).toUpperCase()), ...cells], isNumeric)
}

/** A line for each field but those left out, those of fields within fields named with dots; lists of records are tables. */
export function recordText(value: unknown, leftOut: readonly string[]): string {
  const fields = flatten(value, '').filter(([name]) => !leftOut.includes(name.replace(/\..*/s, '')))
  const lists = fields.filter(([, field]) => isRecordList(field))
  const plain = fields.filter(([, field]) => !isRecordList(field))
  const lines = plain.map(([name, field]) => [visible(name), cellText(name.replace(/^.*\./, ''), field)])
  const tables = lists.map(
    ([name, field]) => `\n${visible(name)}:\n${tableText(Array.isArray(field) ? field : [])}`,
  )
  return alignedText(lines, [false, false]) + tables.join('')
}

/** Lines of cells, so that columns stand below each other. */
export function alignedText(lines: readonly (readonly string[])[], isRight: readonly boolean[]): string {
  const widths = isRight.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)))
  return lines
    .map(line => {
      const cells = line.map((cell, column) =>
        isRight[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      return `${cells.join('  ').trimEnd()}\n`
    })
    .join('')
}

function flatten(value: unknown, prefix: string): readonly (readonly [string, unknown])[] {
  return fieldsOf(value).flatMap(([name, field]) => {
    const isNested = fieldsOf(field).length > 0
    return isNested ? flatten(field, `${prefix}${name}.`) : [[`${prefix}${name}`, field] as const]
  })
}

function fieldsOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isRecord(value) ? Object.entries(value) : []
}

function isRecordList(value: unknown): boolean {
  return Array.isArray(value) && value.some(item => fieldsOf(item).length > 0)
}

function isNumber(name: string, value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'number' && !isTime(name, value))
}

function isTime(name: string, value: number): boolean {
  return /since$|at$/i.test(name) && value >= firstTimeMs && value < 8_640_000_000_000_000
}

function cellText(name: string, value: unknown): string {
  if (value === undefined || value === null || value === '') return '-'
  if (typeof value === 'number' && isTime(name, value)) return new Date(value).toISOString()
  if (Array.isArray(value)) return listText(value)
  return visible(typeof value === 'string' ? value : JSON.stringify(value))
}

function listText(items: readonly unknown[]): string {
  if (items.length === 0) return '-'
  const shown = items.slice(0, namesShown).map(item => cellText('', item))
  const more = items.length - shown.length
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
