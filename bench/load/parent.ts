/**
 * The process that started this one, as a place to get commands from and to report to.
 *
 * Without a parent (it died, however it died) a load process has nothing to do: it exits, so that no run leaves one behind.
 */
export class Parent<Command extends { readonly kind: string }, Report> {
  constructor(kinds: readonly Command['kind'][], onCommand: (command: Command) => void) {
    const known: readonly string[] = kinds
    const isCommand = (value: unknown): value is Command =>
      typeof value === 'object' && value !== null && 'kind' in value && known.includes(String(value.kind))
    process.on('message', value => {
      if (!isCommand(value)) throw new TypeError('a command that this process does not know')
      onCommand(value)
    })
    process.on('disconnect', () => process.exit(1))
    // The terminal sends Ctrl-C to all; when it is over is the parent's business.
    process.on('SIGINT', () => {})
  }

  report(report: Report): void {
    process.send?.(report)
  }
}
