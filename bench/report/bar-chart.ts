import { cLoop } from '../peers/c-loop.js'
import { figureText } from './figure-text.js'
import { html } from './html.js'
import { type FigureSummary, OURS } from './summary.js'

const ROW = 38
const TEXT_AT = 14
const BAR_AT = 20
const BAR = 12

/**
 * A figure as an SVG of one bar for each server: as long as the median, with a line from the smallest to the largest round.
 *
 * Its places are per cent of the width that it is given, so that its text is as large on a phone as elsewhere.
 */
export function barChart(figure: FigureSummary): string {
  const names = Object.keys(figure.servers).filter(name => figure.servers[name]?.isValid)
  const longest = Math.max(...names.map(name => figure.servers[name]?.max ?? 0))
  const label = `${figure.name}, ${figure.unit}: ${names.map(name => `${name} ${figureText(figure, name)}`).join('; ')}`
  const rows = names.map((name, index) => bar(figure, name, index * ROW, longest)).join('')
  return `<svg role="img" width="100%" height="${names.length * ROW}" aria-label="${html(label)}">${rows}</svg>`
}

function bar(figure: FigureSummary, name: string, top: number, longest: number): string {
  const { median, min, max } = figure.servers[name] ?? { median: 0, min: 0, max: 0 }
  const share = (value: number) => `${(longest === 0 ? 0 : (100 * value) / longest).toFixed(2)}%`
  const kind = name === OURS ? 'ours' : name === cLoop.name ? 'limit' : 'other'
  const middle = top + BAR_AT + BAR / 2
  return [
    `<text x="0" y="${top + TEXT_AT}">${html(name)}</text>`,
    `<text x="100%" y="${top + TEXT_AT}" text-anchor="end">${html(figureText(figure, name))}</text>`,
    `<rect class="${kind}" data-server="${html(name)}" x="0" y="${top + BAR_AT}" width="${share(median)}" height="${BAR}"/>`,
    `<line x1="${share(min)}" x2="${share(max)}" y1="${middle}" y2="${middle}"/>`,
  ].join('')
}
