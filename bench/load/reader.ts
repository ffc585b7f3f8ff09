/** The program of a load process: holds subscribers, and checks and times what they get. */
import { addFaults, type Faults, NO_FAULTS } from './faults.js'
import { Parent } from './parent.js'
import { PhaseLedger, QUIET } from './phase-ledger.js'
import { Polling } from './polling.js'
import type { ReaderCommand, ReaderReport } from './protocol.js'
import { Ramp } from './ramp.js'
import { microsAt, phaseAt, sequenceAt, sourceAt } from './stamp.js'
import { Subscriber, type SubscriberEvents } from './subscriber.js'

const PROGRESS_MS = 500

const subscribers: Subscriber[] = []
let ramp: Ramp | undefined
/** Number of the first subscriber. */
let firstNumber = 0
let ledger = new PhaseLedger(QUIET, 0)
const polling = new Polling()
/** What went wrong since the last `collected` and is not in the ledger. */
let faults: Faults = NO_FAULTS
let ending: string | undefined
/** The last progress that was reported. */
let reported = ''

const events: SubscriberEvents = {
  read() {
    polling.found()
  },
  ready(subscriber) {
    ramp?.ready(subscriber.index)
  },
  message(subscriber, bytes, at, readMicros, idGrew) {
    if (!idGrew) ledger.recordDisorder()
    const isFirst = ledger.record(
      subscriber.index,
      phaseAt(bytes, at),
      sourceAt(bytes, at),
      sequenceAt(bytes, at),
      microsAt(bytes, at),
      readMicros,
    )
    if (isFirst && ledger.delivered === ledger.expected) parent.report({ kind: 'done' })
  },
  gap() {
    faults = { ...faults, gaps: faults.gaps + 1 }
  },
  ended(_subscriber, wasOpen, why) {
    if (!wasOpen) {
      ramp?.failed(why)
      return
    }
    faults = { ...faults, dropped: faults.dropped + 1 }
    ending ??= why
  },
}

const commands = {
  connect({ count, window, first, request }: Extract<ReaderCommand, { kind: 'connect' }>) {
    if (request.kind !== 'stream') throw new TypeError('only the native reader does that')
    firstNumber = first
    ramp = new Ramp(
      count,
      window,
      index => subscribers.push(new Subscriber(index, first + index, request, events)),
      report => parent.report(report),
    )
  },
  arm({ plan, polls }: Extract<ReaderCommand, { kind: 'arm' }>) {
    faults = addFaults(faults, ledger.faults())
    ledger = new PhaseLedger(plan, subscribers.length, ramp?.connected ?? 0, firstNumber)
    polling.start(polls)
    reported = ''
    parent.report({ kind: 'armed' })
  },
  collect() {
    const workedMicros = polling.stop()
    parent.report({
      kind: 'collected',
      delivered: ledger.delivered,
      excused: 0,
      gapped: 0,
      answers: 0,
      faults: addFaults(faults, ledger.faults()),
      ...(ending === undefined ? {} : { ending }),
      latency: ledger.latency.toData(),
      lastMicros: ledger.lastMicros,
      workedMicros,
    })
    faults = NO_FAULTS
    ending = undefined
    ledger = new PhaseLedger(QUIET, 0)
  },
  leave() {
    for (const subscriber of subscribers) subscriber.leave()
    // Not at once: the resets are carried out in the next turns.
    setTimeout(() => process.exit(0), 100)
  },
}

const parent = new Parent<ReaderCommand, ReaderReport>(['connect', 'arm', 'collect', 'leave'], command => {
  if (command.kind === 'connect') commands.connect(command)
  else if (command.kind === 'arm') commands.arm(command)
  else if (command.kind === 'collect') commands.collect()
  else if (command.kind === 'leave') commands.leave()
})

setInterval(() => {
  const progress = { connected: ramp?.connected ?? 0, delivered: ledger.delivered }
  const news = `${progress.connected} ${progress.delivered}`
  if (news !== reported) parent.report({ kind: 'progress', ...progress })
  reported = news
}, PROGRESS_MS)
parent.report({ kind: 'up' })
