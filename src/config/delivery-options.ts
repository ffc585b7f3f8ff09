import { one } from './option.js'
import { duration, integer, size } from './quantity.js'

/** The options about open streams and polls. */
export const subscriberOptions = {
  heartbeatMs: one(duration({ min: '1s', max: '1h' }), {
    name: 'heartbeat',
    default: '25s',
    doc: `How long a stream may be silent before it says that it is alive. Keeps proxies, most of which cut after 30
      or 60 s of silence, from closing it, and tells the page when they did.`,
  }),
  pollWaitMs: one(duration({ min: '1s', max: '5m' }), {
    name: 'poll-wait',
    default: '25s',
    doc: 'How long a poll waits for a message, at most.',
  }),
  outboxBytes: one(size({ min: '64KB', max: '1GB' }), {
    name: 'outbox',
    default: '1MB',
    doc: `What may queue up for one subscriber; beyond it the queue is dropped and the subscriber catches up
      from the window. Stops slow readers from filling the memory.`,
  }),
  slowAfterMs: one(duration({ min: '1s', max: '1h' }), {
    name: 'slow-after',
    default: '30s',
    doc: `A subscriber that falls behind and makes no progress for this long is closed (slow). Stops clients
      that do not read from being kept for ever.`,
  }),
  streamAgeMs: one(duration({ min: '1s', max: '168h', zero: 'never' }), {
    name: 'stream-age',
    default: '1h',
    doc: `When a stream is closed (age) so that it reconnects, ± 20 % at random. Spreads connections over the
      servers behind a balancer again.`,
  }),
  presenceGraceMs: one(duration({ min: '1s', max: '1h' }), {
    name: 'presence-grace',
    default: '5s',
    doc: `How long after the last connection a user still counts as online. Keeps those who change pages, and
      pollers between two polls, from going offline and coming back.`,
  }),
  presenceQuietMs: one(duration({ min: '1s', max: '1h', zero: 'not at all' }), {
    name: 'presence-quiet',
    default: '10s',
    doc: `How long after the start nobody is told who comes and goes; then each viewer is told once who is there.
      Stops a restart, which brings everybody back, from being told as a crowd that comes.`,
  }),
  maxChannels: one(integer({ min: '1', max: '10000' }), {
    name: 'max-channels',
    default: '200',
    doc: `Channels of one subscriber, at most. Bounds what one connection costs in memory and at each resume.`,
  }),
  siteConnections: one(integer({ min: '1', max: '10000000', zero: 'no limit of its own' }), {
    name: 'site-connections',
    default: '0',
    doc: `Open streams and waiting polls of one site, at most; those beyond are told to come back later (busy).
      Stops one site of many from taking all connections of the process.`,
  }),
}

/** The options about messages, and how long they can be had. */
export const messageOptions = {
  maxChannelBytes: one(size({ min: '1', max: '4KB' }), {
    name: 'max-channel-bytes',
    default: '200',
    doc: `Length of a channel name in UTF-8, at most. Stops names made of content, which would
      fill the indexes.`,
  }),
  maxDataBytes: one(size({ min: '1KB', max: '64MB' }), {
    name: 'max-data',
    default: '256KB',
    doc: `A message's data as JSON, at most. Stops a message that is a page of its own from going to everybody;
      send where to fetch it instead.`,
  }),
  maxBodyBytes: one(size({ min: '1KB', max: '256MB' }), {
    name: 'max-body',
    default: '8MB',
    doc: 'Body of one publish call, at most. Stops a runaway batch before it is read into memory.',
  }),
  maxMessages: one(integer({ min: '1', max: '100000' }), {
    name: 'max-messages',
    default: '1000',
    doc: 'Messages in one publish call, at most. Stops one batch from keeping everybody else waiting.',
  }),
  windowEntries: one(integer({ min: '1', max: '10000000' }), {
    name: 'window-entries',
    default: '100000',
    doc: `Messages and commands held in memory for resuming, at most. A subscriber that was away longer than the
      window reaches is told so (gap).`,
  }),
  windowAgeMs: one(duration({ min: '1s', max: '168h' }), {
    name: 'window-age',
    default: '1h',
    doc: 'How long they are held, at most.',
  }),
  windowBytes: one(size({ min: '64KB', max: '64GB' }), {
    name: 'window-bytes',
    default: '256MB',
    doc: 'The memory they may take, at most. Stops a few large messages from using it up.',
  }),
  idempotencyWindowMs: one(duration({ min: '1s', max: '24h' }), {
    name: 'idempotency-window',
    default: '5m',
    doc: `How long a publisher may repeat a call with the same idempotencyKey without the message being sent
      twice.`,
  }),
}
