import { member } from '../remote/ask.js'
import { recordText, tableText } from './table.js'
import { type Terminal, visible } from './terminal.js'

interface Form {
  readonly json: boolean
}

/** Writes the answer for machines, or the sentence for people. */
export function report(answer: unknown, sentence: string, { json }: Form, terminal: Terminal): void {
  terminal.write(`${json ? JSON.stringify(answer) : visible(sentence)}\n`)
}

/**
 * Writes a page of a listing, whatever fields its rows have; what is not in the rows (more pages, nodes that did not answer)
 * goes to where complaints go, so that the table can be piped on.
 */
export function reportList(answer: unknown, name: string, { json }: Form, terminal: Terminal): void {
  if (json) {
    terminal.write(`${JSON.stringify(answer)}\n`)
    return
  }
  const rows = member(answer, name)
  terminal.write(tableText(Array.isArray(rows) ? rows : []))
  complainOfPage(answer, terminal)
}

/** Writes one record, whatever fields it has. */
export function reportRecord(answer: unknown, { json }: Form, terminal: Terminal): void {
  if (json) {
    terminal.write(`${JSON.stringify(answer)}\n`)
    return
  }
  terminal.write(recordText(answer, aboutPage))
  complainOfPage(answer, terminal)
}

/** Fields that are about the page, not about what is on it. */
const aboutPage: readonly string[] = ['next', 'nodes']

function complainOfPage(answer: unknown, terminal: Terminal): void {
  const next = member(answer, 'next')
  if (typeof next === 'string') terminal.complain(`there are more: --after ${visible(quoted(next))}\n`)
  const nodes = member(answer, 'nodes')
  const asked = member(nodes, 'asked')
  const answered = member(nodes, 'answered')
  if (typeof asked === 'number' && typeof answered === 'number' && answered < asked) {
    terminal.complain(`not complete: ${answered} of ${asked} nodes answered\n`)
  }
}

/** As a shell takes it. */
function quoted(text: string): string {
  return /^[\w.,:@%/+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
