import { toggle } from '../config/option.js'
import { member, parseJson } from '../remote/ask.js'
import { defineCommand } from './command.js'
import { connect, connectionOptions } from './connection.js'
import { exitCodes } from './exit-code.js'
import { follow } from './follow.js'
import { reportRecord } from './report.js'
import { alignedText } from './table.js'

/** Lines between two headings of `--watch`. */
const linesPerHeading = 20

/** What `--watch` shows: a heading, and where the figure is. One that a server does not have is a dash. */
const columns: readonly (readonly [heading: string, ...path: string[]])[] = [
  ['STREAMS', 'connections', 'sse'],
  ['POLLS', 'connections', 'poll'],
  ['MESSAGES/S', 'perSecond', 'messages'],
  ['DELIVERIES/S', 'perSecond', 'deliveries'],
  ['CONNECTS/S', 'perSecond', 'connects'],
  ['QUEUED', 'outboxes', 'queued'],
  ['GAPS', 'gaps'],
  ['LOOP P99 MS', 'eventLoop', 'p99Ms'],
]

/** `downpipe stats`. */
export const stats = defineCommand({
  name: 'stats',
  summary: 'figures of the server',
  words: '',
  count: [0, 0],
  doc: `Prints the figures of the node that answers: connections, rates, outboxes, closes, the log, the verifier, memory, the
    event loop. With --watch it prints the most telling ones each second, until Ctrl-C.`,
  options: {
    watch: toggle({ name: 'watch', doc: 'A line each second, until Ctrl-C.' }),
    ...connectionOptions,
  },
  run: async ({ values, terminal }) => {
    const service = connect(values, terminal)
    if (!values.watch) {
      reportRecord(await service.get('/stats'), values, terminal)
      return exitCodes.done
    }
    const events = follow({
      service,
      path: '/stats/stream',
      signal: terminal.interruption(),
      onTrouble: sentence => terminal.complain(`${sentence}\n`),
    })
    let line = 0
    for await (const { data } of events) {
      const figures = parseJson(data)?.value
      if (figures === undefined) continue
      terminal.write(values.json ? `${JSON.stringify(figures)}\n` : watchText(figures, line))
      line += 1
    }
    return exitCodes.done
  },
})

function watchText(figures: unknown, line: number): string {
  const headings = columns.map(([heading]) => heading)
  const cells = columns.map(([heading, ...path]) => {
    const figure = path.reduce(member, figures)
    const text = typeof figure === 'number' ? String(Math.round(figure * 10) / 10) : '-'
    return text.padStart(heading.length)
  })
  const lines = line % linesPerHeading === 0 ? [headings, cells] : [cells]
  return alignedText(
    lines,
    headings.map(() => true),
  )
}
