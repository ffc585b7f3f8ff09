import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Control, Stats } from '../control/control.js'
import { defaultHold, maxHold } from '../control/routes/revocations.js'
import { formatCursor } from '../cursor.js'
import { InvalidRequest } from '../errors.js'
import { formProblem } from '../form-problem.js'
import { type PublishMessage, UidSchema } from '../message.js'
import { jsonCopy } from './json-copy.js'

const kickForm = Compile(Type.Object({ uid: UidSchema, hold: Type.Number({ minimum: 0, maximum: maxHold }) }))
const userForm = Compile(Type.Object({ uid: UidSchema }))

/** What the CMS may do, for the program that embeds the service: the control API without HTTP, and without a key. */
export class Downpipe {
  /** What the site is called. */
  readonly name: string
  readonly #control: Control

  constructor(name: string, control: Control) {
    this.name = name
    this.#control = control
  }

  /**
   * Publishes one message and resolves to its id, or an array of them (all or none) and resolves to theirs, once stored as
   * configured. `onPublish` looks at them, too.
   *
   * @throws InvalidRequest, TooLarge, IdempotencyConflict, PublishVetoed, HookFailed
   */
  async publish(message: PublishMessage): Promise<string>
  async publish(messages: readonly PublishMessage[]): Promise<readonly string[]>
  async publish(body: PublishMessage | readonly PublishMessage[]): Promise<string | readonly string[]> {
    const ids = await this.#control.publish(asJson(body))
    return Array.isArray(body) ? ids : (ids[0] ?? '')
  }

  /** Closes the user's connections and refuses the user for `hold` seconds (default 5, at most a day). @throws InvalidRequest */
  async kick(uid: string | number, hold = defaultHold): Promise<void> {
    const values = { uid, hold }
    if (!kickForm.Check(values)) throw new InvalidRequest(formProblem(kickForm.Errors(values), 'kick'))
    await this.#control.kick(String(uid), hold * 1_000)
  }

  /** Closes the token's connections, forgets it and refuses it for a minute: call it before the session is destroyed. */
  async logout(token: string): Promise<void> {
    await this.#control.logout(token)
  }

  /** Asks again who the user is, and applies the difference to the user's connections. @throws InvalidRequest */
  async refresh(uid: string | number): Promise<void> {
    await this.#control.refresh(user(uid))
  }

  /** Adds a channel for the user's present and future connections. @throws InvalidRequest, TooManyMemberships */
  async addToChannel(uid: string | number, channel: string): Promise<void> {
    await this.#control.setMembership(user(uid), channel, 'add')
  }

  /** Takes a channel away from the user's connections. @throws InvalidRequest */
  async removeFromChannel(uid: string | number, channel: string): Promise<void> {
    await this.#control.setMembership(user(uid), channel, 'remove')
  }

  /** The newest place, for printing into a page before its content is read. */
  cursor(): string {
    return formatCursor(this.#control.cursor())
  }

  /** Figures of the site. */
  stats(): Stats {
    return this.#control.stats()
  }
}

function user(uid: string | number): string {
  const values = { uid }
  if (!userForm.Check(values)) throw new InvalidRequest(formProblem(userForm.Errors(values), 'user'))
  return String(uid)
}

function asJson(body: unknown): unknown {
  try {
    return jsonCopy(body)
  } catch {
    throw new InvalidRequest('message: cannot be written as JSON')
  }
}
