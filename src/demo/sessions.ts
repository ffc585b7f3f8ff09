import { randomBytes } from 'node:crypto'
import type { User } from './users.js'

/** Newest sessions kept. Without a limit, a loop that logs in would fill the memory. */
const MAX_SESSIONS = 1_000

const COOKIE = 'demo_session'

/** One login of one user in one browser. */
export interface Session {
  /** The cookie's value. It is never written into a page. */
  readonly id: string
  /**
   * What the pages of this session show to the push service, which asks the CMS about it. It opens nothing but the
   * push service, so a script that reads it cannot become the user.
   */
  readonly token: string
  readonly user: User
}

/** The sessions of the demo CMS, in memory: a restart logs everybody out. */
export class Sessions {
  readonly #byId = new Map<string, Session>()
  readonly #byToken = new Map<string, Session>()

  /** Logs a user in. Beyond the limit the oldest session ends. */
  open(user: User): Session {
    const session = { id: random(), token: random(), user }
    this.#byId.set(session.id, session)
    this.#byToken.set(session.token, session)
    if (this.#byId.size > MAX_SESSIONS) {
      const [oldest] = this.#byId.values()
      if (oldest) this.close(oldest)
    }
    return session
  }

  /** Ends a session. Nothing happens when it has ended already. */
  close(session: Session): void {
    this.#byId.delete(session.id)
    this.#byToken.delete(session.token)
  }

  /** The session that a request's `Cookie` header names, or undefined. */
  fromCookie(header: string | undefined): Session | undefined {
    for (const pair of header?.split(';') ?? []) {
      const [name, value] = pair.trim().split('=')
      if (name === COOKIE && value) return this.#byId.get(value)
    }
    return undefined
  }

  /** The session that a push token belongs to, or undefined. */
  fromToken(token: string): Session | undefined {
    return this.#byToken.get(token)
  }
}

/** The `Set-Cookie` header that makes a browser keep the session, or forget it when none is given. */
export function sessionCookie(session?: Session): string {
  return `${COOKIE}=${session?.id ?? ''}; Path=/; HttpOnly; SameSite=Lax${session ? '' : '; Max-Age=0'}`
}

function random(): string {
  return randomBytes(24).toString('base64url')
}
