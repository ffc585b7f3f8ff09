import { filePath, oneOf } from './kind.js'
import { address, addressRange } from './network.js'
import { many, maybe, type Option, one, type Reading, readMany, type Spec, toggle } from './option.js'
import { duration, integer, size } from './quantity.js'
import type { Item } from './source.js'

/** The options of the process: where it listens, and what it takes from whom before anybody is known. */
export const serverOptions = {
  configFile: maybe(filePath, {
    name: 'config',
    doc: 'A JSON file that holds options. It is named on the command line or in the environment.',
  }),
  listen: many(address, {
    name: 'listen',
    default: '127.0.0.1:8080',
    doc: `Where browsers and the CMS connect. A port alone means all interfaces, IPv6 and IPv4; port 0 takes a
      free one.`,
  }),
  controlListen: many(address, {
    name: 'control-listen',
    doc: `Moves everything that needs the service key to addresses of its own, so that the public ones do not reach them. None: they are on --listen.`,
  }),
  trustProxy: trustProxy({
    name: 'trust-proxy',
    doc: `Whose X-Forwarded-… headers are believed. true: anybody's; safe only where nobody but your proxy can
      reach the port. Behind a proxy that is not trusted all visitors have one address, and the limits per
      address count them as one.`,
  }),
  dev: toggle({
    name: 'dev',
    doc: `For trying things out: makes a random service key and lets anonymous visitors read every channel where
      neither is configured, and also allows pages on localhost. Never in production.`,
  }),
  logLevel: one(oneOf('LEVEL', ['fatal', 'error', 'warn', 'info', 'debug', 'silent']), {
    name: 'log-level',
    default: 'info',
    doc: 'The least important messages that are still logged.',
  }),
  maxConnections: one(integer({ min: '1', max: '10000000', zero: 'open-files limit minus 200' }), {
    name: 'max-connections',
    default: '0',
    doc: `Connections of this process, at most. Stops a crowd from using up all open files, which the log and
      the calls to the CMS need too.`,
  }),
  connectionsPerAddress: one(integer({ min: '1', max: '10000000', zero: 'off' }), {
    name: 'connections-per-address',
    default: '0',
    doc: `Connections from one address, at most. Stops one machine from taking all places; but companies and
      mobile networks put many people behind one address.`,
  }),
  requestTimeoutMs: one(duration({ min: '1s', max: '10m' }), {
    name: 'request-timeout',
    default: '10s',
    doc: `A client that has not sent its whole request by then is cut off. Stops clients that occupy connections
      by sending a byte now and then.`,
  }),
  maxUrlBytes: one(size({ min: '1KB', max: '14KB' }), {
    name: 'max-url',
    default: '7KB',
    doc: 'Length of a URL with token, channels and grants, at most. Stops requests that only cost memory.',
  }),
  tcpKeepAliveMs: one(duration({ min: '1s', max: '2h', zero: 'off' }), {
    name: 'tcp-keep-alive',
    default: '15s',
    doc: `How long a connection may be silent before the system probes it. Finds peers that vanished without a
      word, such as a laptop that was shut.`,
  }),
  drainTimeoutMs: one(duration({ min: '100ms', max: '1h' }), {
    name: 'drain-timeout',
    default: '10s',
    doc: 'At a stop: how long streams, polls and publishers have to finish before the process exits.',
  }),
  reconnectRate: one(integer({ min: '1', max: '1000000' }), {
    name: 'reconnect-rate',
    default: '500',
    doc: `At a stop: reconnects asked for, a second. Each stream is told to come back after a random part of
      connections ÷ this, so that a deploy does not bring everybody back at once.`,
  }),
}

/** A list like any other, but for the two words that say "all" and "none". */
function trustProxy(spec: Spec): Option<boolean | readonly string[]> {
  return {
    ...many(addressRange, spec),
    what: `${addressRange.what}; or true or false alone`,
    json: ['boolean', 'string'],
    default: false,
    defaultText: 'false',
    read: items => readTrust(items),
  }
}

function readTrust(items: readonly Item[]): Reading<boolean | readonly string[]> {
  if (items.length === 1 && items[0] === 'true') return { ok: true, value: true }
  if (items.length === 1 && items[0] === 'false') return { ok: true, value: false }
  return readMany(addressRange, items)
}
