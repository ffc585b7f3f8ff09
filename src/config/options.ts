import { accessOptions, verifyOptions } from './access-options.js'
import { messageOptions, subscriberOptions } from './delivery-options.js'
import type { Option } from './option.js'
import { serverOptions } from './server-options.js'

/**
 * The whole table. Keys are the properties of the configuration, but for the two files that hold more of it.
 */
export const table = {
  ...serverOptions,
  ...accessOptions,
  ...verifyOptions,
  ...subscriberOptions,
  ...messageOptions,
}

/** The options of one site. The others are the process's, and all sites share them. */
export const siteOptions: readonly Option[] = Object.values<Option>(table).filter(
  option => !Object.values<Option>(serverOptions).includes(option),
)

/** All options, in the order of the documentation. */
export const options: readonly Option[] = Object.values<Option>(table)

/** The options under the headings of the help text and the documentation. */
export const sections: readonly { readonly title: string; readonly options: readonly Option[] }[] = [
  { title: 'Server', options: Object.values<Option>(serverOptions) },
  { title: 'Who may do what', options: Object.values<Option>(accessOptions) },
  { title: 'Asking the CMS about tokens', options: Object.values<Option>(verifyOptions) },
  { title: 'Streams and polls', options: Object.values<Option>(subscriberOptions) },
  { title: 'Messages and the window', options: Object.values<Option>(messageOptions) },
]

type ValueOf<O> = O extends Option<infer T> ? T : never
type Values = { readonly [P in keyof typeof table]: ValueOf<(typeof table)[P]> }
type Missable = { [P in keyof Values]: undefined extends Values[P] ? P : never }[keyof Values]

/** What the table's options come to: a property each; those without default are missing when not given. */
export type Settings = Omit<Values, Missable> & { readonly [P in Missable]?: Exclude<Values[P], undefined> }

/** What only the process has. The other options of the server bound each site, too. */
type ProcessOnly = Exclude<
  keyof typeof serverOptions,
  'maxUrlBytes' | 'connectionsPerAddress' | 'reconnectRate' | 'drainTimeoutMs'
>

/** What a site is made from. */
export type SiteSettings = Omit<Settings, ProcessOnly | 'serviceKeyFile'>

/** A name of the settings. */
export type Property = keyof typeof table

/** How an option is written in the environment: `DOWNPIPE_MAX_DATA`. */
export function environmentName(option: Option): string {
  return `DOWNPIPE_${option.name.toUpperCase().replaceAll('-', '_')}`
}

/** How an option is written in a configuration file: `maxData`. */
export function fileKey(option: Option): string {
  return option.name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}
