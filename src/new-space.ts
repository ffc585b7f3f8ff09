declare global {
  namespace NodeJS {
    interface Process {
      /** Since Node 22.15, where the system has it. */
      execve?(file: string, args: readonly string[]): never
    }
  }
}

/** The first Node whose V8 takes much more for its new space than it gives back. */
const firstNode = 24

/** MiB of a half of the new space: what Node's documentation calls the default. */
const mostMib = 16

/**
 * Starts this process over with a bound to V8's new space, where that is worth it and nobody has set one; does not return then. The
 * process keeps its id, its output and its environment.
 *
 * Why: the new space of Node 24 grows to 130 MB while ten thousand come, and is given back minutes later or never, which is more than the
 * connections take. The bound can be set by an option of Node's only.
 */
export function boundNewSpace(): void {
  const { execArgv, argv, execPath, env, versions, connected } = process
  const isSet = [...execArgv, env.NODE_OPTIONS].some(text => text?.includes('semi-space'))
  // A parent that talks to this process would lose it.
  if (isSet || connected || Number.parseInt(versions.node, 10) < firstNode) return
  try {
    process.execve?.(execPath, [execPath, `--max-semi-space-size=${mostMib}`, ...execArgv, ...argv.slice(1)])
  } catch {
    // Node's permission model forbids it: then it takes more memory.
  }
}
