import { isDeepStrictEqual } from 'node:util'
import { type ServiceKey, unrestrictedKey } from '../auth/service-key.js'
import { formatAddress, overlaps } from './network.js'
import type { Property, Settings } from './options.js'
import { formatSize } from './quantity.js'

/**
 * How an option is named in a problem; undefined if its value was refused, so that nothing can be said about
 * it.
 */
export type Label = (property: Property) => string | undefined

/**
 * The rules that concern more than one option. Returns a problem for each that is broken. `fileKeys`: the keys that the file of
 * service keys holds.
 */
export function conflicts(settings: Settings, fileKeys: readonly ServiceKey[], label: Label): string[] {
  return [
    ...secretConflicts(settings, fileKeys, label),
    ...sizeConflicts(settings, label),
    ...addressConflicts(settings, label),
    ...channelConflicts(settings, label),
  ]
}

/** Whoever knows one secret must not be able to do what another is for. */
function secretConflicts(settings: Settings, fileKeys: readonly ServiceKey[], label: Label): string[] {
  const text = (key: ServiceKey) => (typeof key === 'string' ? key : key.key)
  const holders = [
    { use: 'service', property: 'serviceKeys', secrets: settings.serviceKeys.map(text) },
    { use: 'service', property: 'serviceKeyFile', secrets: fileKeys.map(text) },
    { use: 'tokens', property: 'jwtSecrets', secrets: settings.jwtSecrets },
    { use: 'grants', property: 'grantSecrets', secrets: settings.grantSecrets },
  ] as const
  const problems: string[] = []
  for (const [index, { use, property, secrets }] of holders.entries()) {
    for (const other of holders.slice(0, index)) {
      const [name, otherName] = [label(property), label(other.property)]
      if (use === other.use || name === undefined || otherName === undefined) continue
      if (!secrets.some(secret => other.secrets.includes(secret))) continue
      problems.push(`${name}: has a secret that ${otherName} has, too; each needs one of its own`)
    }
  }
  return problems
}

/** Each size must not be above the other: why. */
const sizeRules = [
  ['maxDataBytes', 'maxBodyBytes', 'no publish call could carry such a message'],
  ['maxDataBytes', 'outboxBytes', 'such a message would fill every outbox by itself'],
  ['maxDataBytes', 'windowBytes', 'the window could not hold such a message'],
] as const

function sizeConflicts(settings: Settings, label: Label): string[] {
  const problems: string[] = []
  for (const [small, large, why] of sizeRules) {
    const [smallLabel, largeLabel] = [label(small), label(large)]
    if (smallLabel === undefined || largeLabel === undefined || settings[small] <= settings[large]) continue
    const [size, limit] = [formatSize(settings[small]), formatSize(settings[large])]
    problems.push(`${smallLabel}: ${size} is more than ${largeLabel}, ${limit}: ${why}`)
  }
  return problems
}

function addressConflicts(settings: Settings, label: Label): string[] {
  const listen = label('listen')
  const control = label('controlListen')
  const problems: string[] = []
  if (listen !== undefined && settings.listen.length === 0) problems.push(`${listen}: has no address`)
  for (const [index, address] of settings.listen.entries()) {
    const earlier = settings.listen.slice(0, index).find(other => overlaps(address, other))
    if (listen !== undefined && earlier !== undefined) {
      problems.push(`${listen}: ${formatAddress(address)} and ${formatAddress(earlier)} are the same address`)
    }
  }
  for (const address of settings.controlListen) {
    const taken = settings.listen.find(other => overlaps(address, other))
    if (control === undefined || listen === undefined || taken === undefined) continue
    problems.push(
      `${control}: ${formatAddress(address)} is already an address of ${listen}; it must be another one`,
    )
  }
  return problems
}

function channelConflicts(settings: Settings, label: Label): string[] {
  const anonymous = label('anonymousChannels')
  const limit = label('maxChannelBytes')
  if (anonymous === undefined || limit === undefined) return []
  return settings.anonymousChannels.some(name => isTooLong(name, settings))
    ? [`${anonymous}: has a name that is longer than ${limit}, ${settings.maxChannelBytes} bytes`]
    : []
}

/**
 * The rules about all service keys of a site together, from wherever they come. Returns a problem for each that is broken; none shows a
 * key. `where`: begins what can be said of no option.
 */
export function keyConflicts(
  keys: readonly ServiceKey[],
  settings: Settings,
  label: Label,
  where = '',
): string[] {
  const problems: string[] = []
  const byKey = new Map<string, ServiceKey>()
  for (const key of keys) {
    const text = typeof key === 'string' ? key : key.key
    if (byKey.has(text) && !isDeepStrictEqual(byKey.get(text), key)) {
      problems.push(`${where}one service key is given twice, restricted in different ways`)
    }
    byKey.set(text, key)
  }
  const limit = label('maxChannelBytes')
  const channels = keys.flatMap(key => (typeof key === 'string' ? [] : (key.channels ?? [])))
  if (limit !== undefined && channels.some(name => isTooLong(name, settings))) {
    problems.push(
      `${where}a service key has a channel that is longer than ${limit}, ${settings.maxChannelBytes} bytes`,
    )
  }
  for (const property of ['authUrl', 'eventsUrl'] as const) {
    const source = label(property)
    if (source === undefined || settings[property] === undefined) continue
    if (keys.length > 0 && unrestrictedKey(keys) === undefined) {
      problems.push(`${source}: needs a service key that is not restricted, because the CMS is shown it`)
    }
  }
  return problems
}

function isTooLong(name: string, { maxChannelBytes }: Settings): boolean {
  return Buffer.byteLength(name.replace(/\*$/, '')) > maxChannelBytes
}
