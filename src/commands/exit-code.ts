import { member } from '../remote/ask.js'

/** How a command ends. The numbers are for scripts and do not change. */
export const exitCodes = {
  /** It is done. */
  done: 0,
  /** The server, or a check, said no. */
  failed: 1,
  /** The command line cannot be used; nobody was asked. */
  usage: 2,
  /** Nobody answers, or not in time. Whether it was done is not known. */
  unreachable: 3,
  /** The service key or token was refused (401 or 403). */
  refused: 4,
} as const

/** One of the numbers. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Ends a command with a sentence, which holds no key, token, grant or secret. */
export class CommandError extends Error {
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, sentence: string) {
    super(sentence)
    this.exitCode = exitCode
  }
}

/** What the message says that ends a command on an error which the server answered. */
export function refusalOf(status: number, body: unknown): CommandError | undefined {
  const message = member(body, 'message')
  const code = member(body, 'code')
  if (typeof message !== 'string' || typeof code !== 'string') return undefined
  const isRefused = status === 401 || status === 403
  return new CommandError(isRefused ? exitCodes.refused : exitCodes.failed, `${message} (${status}, ${code})`)
}
