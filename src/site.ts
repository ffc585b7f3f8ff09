import { Authenticator } from './auth/authenticator.js'
import { CachedVerifier } from './auth/cached-verifier.js'
import { GrantVerifier } from './auth/grant.js'
import { HttpVerifier } from './auth/http-verifier.js'
import { JwtVerifier } from './auth/jwt-verifier.js'
import { KeySet } from './auth/key-set.js'
import { Memberships } from './auth/memberships.js'
import { Revocations } from './auth/revocations.js'
import { ServiceKeys, unrestrictedKey } from './auth/service-key.js'
import type { TokenVerifier } from './auth/token-verifier.js'
import type { Clock } from './clock.js'
import { EventReporter, eventTimeoutMs } from './cms/event-reporter.js'
import { JsonPost } from './cms/json-post.js'
import type { SiteConfig } from './config.js'
import { Control, type Review } from './control/control.js'
import { Hub } from './hub/hub.js'
import type { HubWatcher } from './hub/watcher.js'
import { MemoryLog } from './log/memory-log.js'
import type { Command, MembershipCommand, MessageLog } from './log/message-log.js'
import { Window } from './log/window.js'
import type { ProcessFigures } from './metrics/process-figures.js'
import { MemoryState } from './state/memory-state.js'
import type { SiteState } from './state/site-state.js'

/** What is told to whoever keeps the log of the process: a constant sentence, and data in fields. */
export interface SiteLogger {
  info(data: object, sentence: string): void
  warn(data: object, sentence: string): void
}

/** What a site stands on. */
export interface SiteParts {
  /** What it is called: in its address, in the `aud` of grants. */
  readonly name: string
  readonly clock: Clock
  readonly logger: SiteLogger
  /** Figures of the whole process, for `stats`. */
  readonly processFigures: () => ProcessFigures
  readonly hooks?: SiteHooks
}

/** What a program that embeds the service does itself, in place of calls over HTTP or beside them. */
export interface SiteHooks {
  /** In place of the auth URL. */
  readonly verifier?: TokenVerifier | undefined
  readonly review?: Review | undefined
  readonly watcher?: HubWatcher | undefined
}

/** One tenant: its keys, log, state, hub, verifier and control. Sites never see each other. */
export class Site {
  readonly name: string
  readonly config: SiteConfig
  readonly clock: Clock
  readonly serviceKeys: ServiceKeys
  readonly hub: Hub
  readonly control: Control
  readonly authenticator: Authenticator
  readonly memberships: Memberships
  readonly grants: GrantVerifier
  readonly #log: MessageLog
  readonly #state: SiteState
  readonly #window: Window
  readonly #verifier: CachedVerifier | undefined
  readonly #events: EventReporter | undefined
  readonly #revocations: Revocations
  readonly #logger: SiteLogger
  readonly #hooks: SiteHooks
  #stopFollowing = () => {}
  #stopTicking = () => {}
  #isServing = false

  constructor(config: SiteConfig, { name, clock, logger, processFigures, hooks = {} }: SiteParts) {
    const retention = { entries: config.windowEntries, ageMs: config.windowAgeMs, bytes: config.windowBytes }
    this.name = name
    this.config = config
    this.clock = clock
    this.#logger = logger
    this.#hooks = hooks
    this.serviceKeys = new ServiceKeys(config.serviceKeys)
    this.#revocations = new Revocations(clock)
    this.#verifier = this.#createVerifier()
    const events = this.#createEventReporter()
    this.#events = events
    this.authenticator = new Authenticator({
      clock,
      verifier: this.#verifier,
      jwt: this.#createJwtVerifier(),
      revocations: this.#revocations,
      serviceRights: key => this.serviceKeys.find(key),
      anonymousChannels: config.anonymousChannels,
    })
    this.grants = new GrantVerifier({
      clock,
      secrets: config.grantSecrets,
      site: name,
      toleranceMs: config.jwtClockToleranceMs,
      maxChannelBytes: config.maxChannelBytes,
      onProblem: problem => logger.warn({ problem }, 'a grant could not be used'),
    })
    this.#log = new MemoryLog({ clock, retention, idempotencyWindowMs: config.idempotencyWindowMs })
    this.#state = new MemoryState(clock)
    this.#window = new Window({ clock, retention })
    this.hub = new Hub({
      clock,
      window: this.#window,
      heartbeatMs: config.heartbeatMs,
      outboxBytes: config.outboxBytes,
      slowAfterMs: config.slowAfterMs,
      reconnectRate: config.reconnectRate,
      onCommand: (command, storedMs) => this.#obey(command, storedMs),
      onReset: () => this.#forgetIdentities(),
      presenceGraceMs: config.presenceGraceMs,
      presenceQuietMs: config.presenceQuietMs,
      onPresence: events && ((uid, type) => events.report({ type, uid })),
      watcher: hooks.watcher,
    })
    this.memberships = new Memberships({
      clock,
      state: this.#state,
      maxChannels: config.maxChannels,
      isConnected: uid => this.hub.roster.isConnected(uid),
    })
    this.control = new Control({
      clock,
      log: this.#log,
      state: this.#state,
      memberships: this.memberships,
      window: this.#window,
      hub: this.hub,
      verifier: this.#verifier,
      events,
      authenticator: this.authenticator,
      limits: config,
      processFigures,
      review: hooks.review,
    })
  }

  /** Whether it takes subscribers: the window is loaded and the site is not going away. */
  get isServing(): boolean {
    return this.#isServing
  }

  /** Whether it may have one more connection. */
  get hasPlace(): boolean {
    const { siteConnections } = this.config
    return siteConnections === 0 || this.hub.size < siteConnections
  }

  /** Loads what is stored; only then it serves. */
  async start(): Promise<void> {
    await this.#revocations.load(this.#state)
    await this.memberships.load()
    this.#stopFollowing = this.#log.follow(this.hub)
    const stops = [
      this.clock.every(1_000, () => {
        this.#window.evict()
        this.control.sample()
      }),
      this.clock.every(60_000, () => this.#sweepMemberships()),
    ]
    this.#stopTicking = () => {
      for (const stop of stops) stop()
    }
    this.#isServing = true
  }

  /**
   * Takes no more subscribers and asks those who are here to come back, spread over `spreadMs` (of all sites that go together).
   * Publishers are still served.
   */
  drain(spreadMs = this.hub.spreadMs): void {
    this.#isServing = false
    this.hub.presence.stop()
    this.hub.closeAll('shutdown', spreadMs)
    void this.#events?.close()
  }

  /** Gives everything back; nothing may be called afterwards. */
  async close(): Promise<void> {
    this.#isServing = false
    this.#stopTicking()
    this.#stopFollowing()
    this.hub.stop()
    await this.#events?.close()
    await this.#log.close()
    await this.#state.close()
  }

  #createVerifier(): CachedVerifier | undefined {
    const { config } = this
    const verifier = this.#createTokenVerifier()
    if (verifier === undefined) return undefined
    return new CachedVerifier({
      clock: this.clock,
      verifier,
      limits: {
        ttlMs: config.verifyTtlMs,
        refusalTtlMs: config.refusalTtlMs,
        staleIfErrorMs: config.staleIfErrorMs,
        identities: config.verifyIdentities,
        atOnce: config.verifyConcurrency,
        queueLength: config.verifyQueue,
        // As long again as a call may take: who waits longer is better off asking again.
        queueMs: config.verifyTimeoutMs,
        rate: config.verifyRate,
        burst: config.verifyBurst,
      },
      onFailure: problem => this.#logger.warn({ problem }, 'a token could not be verified'),
    })
  }

  #createEventReporter(): EventReporter | undefined {
    const { eventsUrl, serviceKeys } = this.config
    if (eventsUrl === undefined) return undefined
    const serviceKey = unrestrictedKey(serviceKeys) ?? ''
    return new EventReporter({
      clock: this.clock,
      post: new JsonPost({ url: eventsUrl, name: 'events URL', serviceKey, timeoutMs: eventTimeoutMs }),
      warn: (data, sentence) => this.#logger.warn(data, sentence),
    })
  }

  #createTokenVerifier(): TokenVerifier | undefined {
    const { authUrl, serviceKeys, verifyTimeoutMs, maxChannelBytes } = this.config
    if (this.#hooks.verifier !== undefined) return this.#hooks.verifier
    if (authUrl === undefined) return undefined
    const serviceKey = unrestrictedKey(serviceKeys) ?? ''
    return new HttpVerifier({ url: authUrl, serviceKey, timeoutMs: verifyTimeoutMs, maxChannelBytes })
  }

  #createJwtVerifier(): JwtVerifier | undefined {
    const { clock, config } = this
    const { jwtSecrets, jwksUrl } = config
    if (jwtSecrets.length === 0 && jwksUrl === undefined) return undefined
    return new JwtVerifier({
      clock,
      secrets: jwtSecrets,
      keySet: jwksUrl === undefined ? undefined : this.#createKeySet(jwksUrl),
      audience: config.jwtAudience,
      toleranceMs: config.jwtClockToleranceMs,
      maxChannelBytes: config.maxChannelBytes,
      onProblem: problem => this.#logger.warn({ problem }, 'a JWT could not be used'),
    })
  }

  #createKeySet(url: string): KeySet {
    const { verifyTimeoutMs: timeoutMs, staleIfErrorMs } = this.config
    const onFailure = (problem: string) =>
      this.#logger.warn({ problem }, 'the keys of JWTs could not be fetched')
    return new KeySet({ clock: this.clock, url, timeoutMs, staleIfErrorMs, onFailure })
  }

  #obey(command: Command, storedMs: number): void {
    switch (command.kind) {
      case 'kick':
        this.#revocations.holdUser(command.uid, this.#remainingMs(command.holdMs, storedMs))
        break
      case 'logout':
        this.#revocations.revokeToken(command.tokenHash, this.#remainingMs(command.holdMs, storedMs))
        this.#verifier?.forget(command.tokenHash)
        break
      case 'refresh':
        this.#revocations.voidUser(command.uid)
        break
      case 'membership':
        this.#changeMembership(command)
    }
  }

  /** A hold counts from when its command was stored: one that is read late, or again, is not begun anew. */
  #remainingMs(holdMs: number, storedMs: number): number {
    return Math.max(0, storedMs + holdMs - this.clock.now())
  }

  #changeMembership({ uid, channel, change }: MembershipCommand): void {
    if (change === 'add') this.memberships.add(uid, channel)
    else if (!this.memberships.remove(uid, channel)) this.#revocations.voidUser(uid)
  }

  #sweepMemberships(): void {
    this.memberships.sweep().catch((error: unknown) => {
      this.#logger.warn({ problem: String(error) }, 'memberships could not be kept any longer')
    })
  }

  #forgetIdentities(): void {
    this.#logger.warn({}, 'the log was begun anew or lost its tail: every subscriber is told of a gap')
    this.#verifier?.forgetAll()
  }
}
