import type { Clock } from '../clock.js'
import { HookFailed, PublishVetoed } from '../errors.js'
import type { Subscriber } from '../hub/subscriber.js'
import type { EndReason, HubWatcher } from '../hub/watcher.js'
import { isPublishMessage, type PublishMessage } from '../message.js'
import type { SiteLogger } from '../site.js'
import { type Connection, SubscriberConnection } from './connection.js'
import { describeFailure, within } from './deadline.js'
import { jsonCopy } from './json-copy.js'

/** What a hook may answer at once or later. */
type Later<Answer> = Answer | Promise<Answer>

/** Functions of the embedding program that are told what happens. */
export interface Hooks {
  /**
   * Looks at each message before it is stored: false vetoes it (403, and nothing of its batch is stored), a message takes its place
   * and is checked anew, anything else lets it pass. A throw, or taking too long, is an error to this publisher only (500).
   */
  readonly onPublish?: ((message: PublishMessage, context: { site: string }) => Later<unknown>) | undefined
  /** Told of a connection that has begun. It cannot stop it; a throw is logged only. */
  readonly onOpen?: ((connection: Connection) => Later<unknown>) | undefined
  /** Told of a connection that is over, and why. A throw is logged only. */
  readonly onClose?: ((connection: Connection, reason: EndReason) => Later<unknown>) | undefined
}

/** What running the hooks takes. */
export interface HookRunnerOptions {
  readonly hooks: Hooks
  readonly site: string
  readonly clock: Clock
  readonly logger: SiteLogger
  /** How long, in ms, `onPublish` may take for all messages of a call together, and each of the others. */
  readonly timeoutMs: number
}

/** Runs the hooks of one site, so that nothing they do reaches further than it may. */
export class HookRunner {
  readonly #options: HookRunnerOptions
  readonly #connections = new WeakMap<Subscriber, Connection>()

  constructor(options: HookRunnerOptions) {
    this.#options = options
  }

  /** The look at a publish call's body; undefined: nobody looks. */
  get review(): ((body: unknown) => Promise<unknown>) | undefined {
    return this.#options.hooks.onPublish && (body => this.#review(body))
  }

  /** Who is told of connections; undefined: nobody is, so that they cost nothing. */
  get watcher(): HubWatcher | undefined {
    const { onOpen, onClose } = this.#options.hooks
    if (onOpen === undefined && onClose === undefined) return undefined
    return {
      opened: subscriber => {
        const connection = this.#connectionOf(subscriber)
        if (onOpen !== undefined) void this.#tell('onOpen', () => onOpen(connection))
      },
      ended: (subscriber, reason) => {
        const connection = this.#connectionOf(subscriber)
        if (onClose !== undefined) void this.#tell('onClose', () => onClose(connection, reason))
      },
    }
  }

  async #review(body: unknown): Promise<unknown> {
    const { clock, timeoutMs, logger } = this.#options
    try {
      const result = await within(clock, timeoutMs, async () => {
        if (!Array.isArray(body)) return await this.#reviewMessage(body)
        const reviewed: unknown[] = []
        for (const message of body) reviewed.push(await this.#reviewMessage(message))
        return reviewed
      })
      // The hook may give, or put into the message, what is no JSON.
      return jsonCopy(result)
    } catch (error) {
      if (error instanceof PublishVetoed) throw error
      logger.warn({ problem: describeFailure(error) }, 'onPublish failed, and so did the publish call')
      throw new HookFailed()
    }
  }

  async #reviewMessage(message: unknown): Promise<unknown> {
    if (!isPublishMessage(message)) return message
    const answer = await this.#options.hooks.onPublish?.(message, { site: this.#options.site })
    if (answer === false) throw new PublishVetoed()
    return typeof answer === 'object' && answer !== null ? answer : message
  }

  #connectionOf(subscriber: Subscriber): Connection {
    const known = this.#connections.get(subscriber)
    if (known !== undefined) return known
    const connection = new SubscriberConnection(this.#options.site, subscriber)
    this.#connections.set(subscriber, connection)
    return connection
  }

  /** In a turn of its own: the hub is in the middle of something, and the hook may publish. */
  async #tell(name: string, task: () => unknown): Promise<void> {
    const { clock, timeoutMs, logger } = this.#options
    try {
      await Promise.resolve()
      await within(clock, timeoutMs, task)
    } catch (error) {
      logger.warn({ problem: describeFailure(error) }, `${name} failed`)
    }
  }
}
