import { type Ailment, type ProxyName, remedies } from './remedies.js'

/** How it stands: `note` costs something and breaks nothing; `untested` says why it was not looked at. */
export type Level = 'good' | 'note' | 'fault' | 'untested'

/** What was looked at, and what was found. Holds no key, token or query. */
export interface Finding {
  /** What was looked at, in a word. */
  readonly check: string
  readonly level: Level
  /** What was seen. */
  readonly seen: string
  /** What that means for the pages, where it means something. */
  readonly means?: string
  /** What to change, by the program whose configuration it is. */
  readonly change?: Readonly<Partial<Record<ProxyName | 'Downpipe', string>>>
}

/** All is well. */
export function good(check: string, seen: string): Finding {
  return { check, level: 'good', seen }
}

/** It was not looked at; `seen` says why. */
export function untested(check: string, seen: string): Finding {
  return { check, level: 'untested', seen }
}

/** Something between us and the server does harm: it is one of the known ailments. */
export function ailing(
  check: string,
  seen: string,
  ailment: Ailment,
  level: 'fault' | 'note' = 'fault',
): Finding {
  const { means, change } = remedies[ailment]
  return { check, level, seen, means, change }
}

/** The server itself is to be configured, or is not well. */
export function serverFault(check: string, seen: string, means: string, change?: string): Finding {
  return { check, level: 'fault', seen, means, ...(change !== undefined && { change: { Downpipe: change } }) }
}
