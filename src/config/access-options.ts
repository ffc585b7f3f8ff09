import { audience, channelPattern, cookieName, filePath, signingSecret } from './kind.js'
import { httpUrl, origin } from './network.js'
import { many, maybe, one } from './option.js'
import { duration, integer, size } from './quantity.js'
import { serviceKey } from './service-key.js'

/** The options about who may do and read what. */
export const accessOptions = {
  serviceKeys: many(serviceKey, {
    name: 'service-key',
    isSecret: true,
    doc: `The secret of the CMS, which may publish, kick and read everything. Several are valid at once, so that
      keys can be changed without a pause. The command line is visible to every user of the machine: prefer
      the environment or --service-key-file. A key in a list of the JSON file, or in --service-key-file, may be
      restricted to operations and channels: see "Restricted keys" in http.md.`,
  }),
  serviceKeyFile: maybe(filePath, {
    name: 'service-key-file',
    doc: `A file with service keys, one a line; blank lines and lines that start with # are skipped. They are
      valid beside those of --service-key. Behind a key, operations=… and channels=… restrict it.`,
  }),
  authUrl: maybe(httpUrl, {
    name: 'auth-url',
    doc: `Where the CMS is asked who a token is, and what it may read. None: tokens are refused, and only
      anonymous channels can be read.`,
  }),
  eventsUrl: maybe(httpUrl, {
    name: 'events-url',
    doc: `Where the CMS is told when a user comes online or goes offline. None: it is not told.`,
  }),
  allowOrigins: many(origin, {
    name: 'allow-origin',
    doc: `Origins whose pages may connect, beside the server's own; https://www.example.com is one, its path is
      not part of it. * allows all, but without cookies.`,
  }),
  anonymousChannels: many(channelPattern, {
    name: 'anonymous-channels',
    doc: `Channels that anybody may read without a token: exact names, or prefixes with one trailing star
      (public_*). A prefix subscribes to nothing until a page names a channel.`,
  }),
  tokenCookie: maybe(cookieName, {
    name: 'token-cookie',
    doc: 'The cookie that holds the token where neither the Authorization header nor the URL has one.',
  }),
  maxTokenBytes: one(size({ min: '16', max: '14KB' }), {
    name: 'max-token',
    default: '4KB',
    doc: 'Length of a token, at most. Stops tokens that only cost memory here and in the CMS.',
  }),
  jwtSecrets: many(signingSecret, {
    name: 'jwt-secret',
    isSecret: true,
    doc: `With this secret the CMS may sign tokens itself (JWTs by HS256, HS384 or HS512), about which nobody is
      asked. Several are valid at once, so that secrets can be changed without a pause. What does not look
      like a JWT is still asked about at --auth-url.`,
  }),
  jwksUrl: maybe(httpUrl, {
    name: 'jwks-url',
    doc: `Where the public keys are (a JSON Web Key Set) of whoever signs tokens as JWTs by RS, PS, ES or EdDSA.`,
  }),
  jwtAudience: maybe(audience, {
    name: 'jwt-audience',
    doc: `What the aud of a JWT must name. None: aud is not looked at. Stops tokens that the same issuer made for
      another program.`,
  }),
  jwtClockToleranceMs: one(duration({ min: '1s', max: '5m', zero: 'none' }), {
    name: 'jwt-clock-tolerance',
    default: '5s',
    doc: `How far the clock of whoever signs JWTs and grants may be off: a JWT is still let in so long after its
      exp, and a JWT or a grant so long before its nbf.`,
  }),
  grantSecrets: many(signingSecret, {
    name: 'grant-secret',
    isSecret: true,
    doc: `With this secret the CMS signs grants (HS256): permissions for the channels of one page view. Several are
      valid at once. None: grants are not accepted.`,
  }),
}

/** The options about asking the CMS for identities. */
export const verifyOptions = {
  verifyTimeoutMs: one(duration({ min: '100ms', max: '1m' }), {
    name: 'verify-timeout',
    default: '5s',
    doc: `How long the CMS may take to answer for one token. Stops a CMS that hangs from holding up the queue.`,
  }),
  verifyConcurrency: one(integer({ min: '1', max: '10000' }), {
    name: 'verify-concurrency',
    default: '16',
    doc: `Calls to the CMS at once, at most. Stops a restart, which brings everybody back, from taking the CMS
      down.`,
  }),
  verifyQueue: one(integer({ min: '1', max: '10000000', zero: 'nobody waits' }), {
    name: 'verify-queue',
    default: '10000',
    doc: `Tokens that wait for a call, at most; those beyond are told to come back later (busy). Stops a slow
      CMS from filling the memory here.`,
  }),
  verifyIdentities: one(integer({ min: '1', max: '10000000' }), {
    name: 'verify-identities',
    default: '200000',
    doc: `Identities held, at most; the least recently used is forgotten first, which closes no connection.
      Bounds the memory that many visitors cost.`,
  }),
  verifyTtlMs: one(duration({ min: '1s', max: '168h' }), {
    name: 'verify-ttl',
    default: '5m',
    doc: `How long an identity is believed without asking again, at most; a shorter expiresIn of the CMS wins.`,
  }),
  refusalTtlMs: one(duration({ min: '1s', max: '1h' }), {
    name: 'refusal-ttl',
    default: '10s',
    doc: `How long a refusal by the CMS is remembered. Stops a page with a bad token from asking it over and
      over.`,
  }),
  staleIfErrorMs: one(duration({ min: '1s', max: '168h', zero: 'not at all' }), {
    name: 'stale-if-error',
    default: '24h',
    doc: `How long beyond its time a known identity stays valid while the CMS cannot be reached. Somebody who is
      blocked in that time stays connected.`,
  }),
  verifyRate: one(integer({ min: '1', max: '1000000', zero: 'off' }), {
    name: 'verify-rate',
    default: '200',
    doc: `Unknown tokens from one address (IPv6: /64) that are asked about, a second. Stops random tokens from
      filling the queue and pushing out good identities.`,
  }),
  verifyBurst: one(integer({ min: '1', max: '10000000' }), {
    name: 'verify-burst',
    default: '2000',
    doc: `Unknown tokens from one address that may come at once before --verify-rate counts. Room for a whole
      company that comes back together after a restart.`,
  }),
}
