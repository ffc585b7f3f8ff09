import type { Goal } from '../scenarios/scenario.js'
import type { Spread } from '../statistics.js'
import { type FigureOfServer, type FigureSummary, OURS, type Verdict } from './summary.js'

/** A number as people read it: `12,345`, or `12.3` if it is below 100. */
export function numberText(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) < 100 ? 1 : 0 })
}

/** A figure with the extremes of its rounds; `invalid` if it may not be used, nothing if there is none. */
export function figureText({ servers, better }: FigureSummary, server: string): string {
  const figure = servers[server]
  if (figure === undefined) return ''
  return figure.isValid ? boundMark(figure, better) + spreadText(figure, numberText) : 'invalid'
}

/** Only the middle of it. */
export function medianText({ servers, better }: FigureSummary, server: string): string {
  const figure = servers[server]
  if (figure === undefined) return ''
  return figure.isValid ? boundMark(figure, better) + numberText(figure.median) : 'invalid'
}

/** Our figure over that of another server, with the extremes of the rounds. */
export function ratioText(figure: FigureSummary, server: string): string {
  const ratio = figure.servers[server]?.ratio
  return ratio === undefined ? '' : ratioMark(figure, server) + spreadText(ratio, oneRatio)
}

/** Only the middle of it. */
export function medianRatioText(figure: FigureSummary, server: string): string {
  const ratio = figure.servers[server]?.ratio
  return ratio === undefined ? '' : ratioMark(figure, server) + oneRatio(ratio.median)
}

/** What a goal asks for. */
export function goalText(goal: Goal, unit: string): string {
  if (goal.kind === 'at-most') return `≤ ${goal.value} ${unit}`
  return `${goal.kind === 'ratio-at-least' ? '≥' : '≤'} ${goal.value} × ${goal.to}`
}

/** What became of a goal. */
export function verdictText({ isReached }: Verdict): string {
  return isReached === undefined ? 'not compared' : isReached ? 'reached' : 'MISSED'
}

function spreadText({ median, min, max }: Spread, text: (value: number) => string): string {
  return min === max ? text(median) : `${text(median)} (${text(min)}–${text(max)})`
}

function oneRatio(value: number): string {
  return value >= 99.5 ? value.toFixed(0) : value.toPrecision(value < 0.1 ? 1 : 2)
}

/** A server that the load could not keep busy is at least as good as it looks. */
function boundMark({ limit }: FigureOfServer, better: FigureSummary['better']): string {
  if (limit === 'server') return ''
  return better === 'higher' ? '≥ ' : '≤ '
}

function ratioMark({ servers, better }: FigureSummary, server: string): string {
  const isOursBound = servers[OURS]?.limit === 'load'
  const isOtherBound = servers[server]?.limit === 'load'
  if (isOursBound === isOtherBound) return isOursBound ? '~ ' : ''
  return isOursBound === (better === 'higher') ? '≥ ' : '≤ '
}
