import type { Reader, ReaderEvent } from './reader.js'

/** Follows, as a page does, whom a reader may see: by each `ready`, and by what changes. */
export class PresenceWatcher {
  /** What was learned after the first `ready`, in order, as `5 online`. */
  readonly changes: string[] = []
  readonly #reader: Reader
  #online: ReadonlySet<string> | undefined

  constructor(reader: Reader) {
    this.#reader = reader
  }

  /** Who is online, sorted. */
  get online(): readonly string[] {
    return [...(this.#online ?? [])].sort()
  }

  /** Reads until these are online and nobody else. */
  async until(...uids: readonly string[]): Promise<void> {
    while (this.#online === undefined || this.online.join() !== [...uids].sort().join()) await this.read()
  }

  /** Reads until a message with this data comes, which is behind everything that was sent before it. */
  async untilMessage(data: unknown): Promise<void> {
    let event = await this.read()
    while (Object(event.data).data !== data) event = await this.read()
  }

  /** Reads one event. */
  async read(): Promise<ReaderEvent> {
    const event = await this.#reader.next()
    const { type, data, presence } = Object(event.data)
    if (event.event === 'ready') this.#become(new Set(presence))
    else if (event.event === 'message' && type === 'presence') {
      const online = new Set(this.#online)
      if (data.event === 'online') online.add(data.uid)
      else online.delete(data.uid)
      this.#become(online)
    } else if (event.event !== 'message') throw new Error(`this came: ${JSON.stringify(event)}`)
    return event
  }

  #become(online: ReadonlySet<string>): void {
    const before = this.#online
    this.#online = online
    if (before === undefined) return
    for (const uid of before) if (!online.has(uid)) this.changes.push(`${uid} offline`)
    for (const uid of online) if (!before.has(uid)) this.changes.push(`${uid} online`)
  }
}
