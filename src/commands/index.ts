import { help, wrap } from '../config/page.js'
import { type Command, usageLine } from './command.js'
import { doctor } from './doctor.js'
import { grant } from './grant.js'
import { kick } from './kick.js'
import { channels, connections, users } from './listing.js'
import { logout } from './logout.js'
import { publish } from './publish.js'
import { refresh } from './refresh.js'
import { stats } from './stats.js'
import { tail } from './tail.js'
import { token } from './token.js'

/** The commands that call a service, or do without one, in the order of the documentation. */
export const commands: readonly Command[] = [
  publish,
  tail,
  users,
  channels,
  connections,
  stats,
  kick,
  logout,
  refresh,
  token,
  grant,
  doctor,
]

/** A line for each command, for the help text. */
export const commandList = `Commands:

${commands.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}\n`).join('')}
`

const exits = `Exit codes: 0 done; 1 the server, or a check, said no; 2 the command line cannot be used; 3 nobody answers, or not in
  time; 4 the service key or the token was refused.`

/** What `downpipe COMMAND --help` says. */
export function commandHelp(command: Command): string {
  const { doc, options } = command
  const texts = paragraphs(doc).map(paragraph => wrap(paragraph, ''))
  return `Usage: ${usageLine(command)}\n\n${texts.join('\n')}\nOptions:\n\n${options.map(help).join('\n')}\n${wrap(exits, '')}`
}

/** The documentation page of the commands, in Markdown. `public/docs/command-line.md` holds exactly this. */
export function commandsMarkdown(): string {
  const list = commands.map(({ name, summary }) => `- [\`${name}\`](#${name}): ${summary}`)
  const parts = commands.map(
    command =>
      `## ${command.name}\n\n\`\`\`\n${commandHelp(command).replace(/\nExit codes:.*$/s, '')}\`\`\`\n`,
  )
  return `${introduction}\n${list.join('\n')}\n\n${connecting}\n${parts.join('\n')}`
}

const introduction = `# Command line

\`downpipe\` alone starts the service, with these [options](options.md). With a command it talks to one that runs, over the same
[HTTP API](http.md) that a CMS uses.
`

const connecting = `Where the service is: \`--url\` or \`DOWNPIPE_URL\`, else \`http://127.0.0.1:8080\`. The service key: \`--key\`, else
\`--key-file\`, \`DOWNPIPE_SERVICE_KEY\` or \`DOWNPIPE_SERVICE_KEY_FILE\`. With \`--control-listen\` the URL is that of the CMS's side,
but for \`tail\` and \`doctor\`, which read as browsers do.

    export DOWNPIPE_URL=https://push.example DOWNPIPE_SERVICE_KEY_FILE=/etc/downpipe.key
    downpipe publish news '{"title":"It works"}'
    downpipe tail news --json | jq .message.data
    downpipe doctor https://push.example --origin https://www.example

People get tables, programs JSON (\`--json\`). What is not the result goes to the standard error. No key, token, grant or secret is ever
repeated in a message.

Exit codes:

- 0: it is done; \`doctor\`: no fault was found
- 1: the server said no, and the message says what; \`doctor\`: a fault was found
- 2: the command line cannot be used; nobody was asked
- 3: nobody answers, or not in time; whether it was done is not known (\`publish\`: try again with the same \`--idempotency-key\`)
- 4: the service key or the token was refused (401 or 403)
`

function paragraphs(doc: string): readonly string[] {
  return doc.split(/\n\s*\n/)
}
