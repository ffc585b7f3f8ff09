import type { Option } from './option.js'
import { environmentName, fileKey, options, sections, siteOptions, table } from './options.js'

const width = 79

/**
 * The options part of `--help`, without the program's name and sub-commands: every option with its default,
 * unit and range, by groups, and how to say the same elsewhere. Lines have at most 79 characters where a word
 * allows it.
 */
export function helpText(): string {
  const groups = sections.map(({ title, options }) => `${title}:\n\n${options.map(help).join('\n')}`)
  const asElsewhere = wrap(
    `Every option can also be given in the environment (--max-data 64KB is DOWNPIPE_MAX_DATA=64KB) and in the
    JSON file that --config names ({"maxData": "64KB"}). The command line wins over the environment, the
    environment over the file. Times are written 250ms, 25s, 5m or 1h, a bare number is seconds; sizes 500,
    64KB, 1MB or 2GB, in steps of 1024. Lists (…) are repeated, or separated by commas.`,
    '',
  )
  return `${groups.join('\n')}\nOther:\n\n  -h, --help\n  -v, --version\n\n${asElsewhere}`
}

/** How the help text tells of one option. */
export function help(option: Option): string {
  const head = `  --${option.name} ${option.placeholder}`.trimEnd()
  return `${head}${option.isList ? ' …' : ''}\n${wrap(`${option.doc} ${summary(option)}`, '      ')}`
}

function summary(option: Option): string {
  return option.isFlag ? '' : `[default: ${option.defaultText}; ${option.limits || option.what}]`
}

/** Breaks text into lines of at most 79 characters, where a word allows it. */
export function wrap(text: string, indent: string): string {
  const lines = [indent]
  for (const word of text.trim().split(/\s+/)) {
    const line = lines.at(-1) ?? ''
    const longer = line === indent ? indent + word : `${line} ${word}`
    if (longer.length > width && line !== indent) lines.push(indent + word)
    else lines[lines.length - 1] = longer
  }
  return `${lines.join('\n')}\n`
}

/** The documentation page of the options, in Markdown. `public/docs/options.md` holds exactly this. */
export function optionsMarkdown(): string {
  const parts = sections.map(({ title, options }) => `## ${title}\n\n${options.map(entry).join('\n')}`)
  return `${introduction}\n${parts.join('\n')}`
}

const introduction = `# Options

Each of the ${options.length} options can be given in three places. The command line wins over the environment, the environment over the
file, the file over the default.

- **On the command line**: \`--max-data 64KB\` or \`--max-data=64KB\`. A list is repeated, or separated by commas.
- **In the environment**: \`DOWNPIPE_MAX_DATA=64KB\`. A list is separated by commas. An empty variable counts as not given.
- **In a JSON file** that \`--config\` or \`DOWNPIPE_CONFIG\` names: \`{"maxData": "64KB"}\`. A list is \`["a", "b"]\` or \`"a,b"\`.

Times are written \`250ms\`, \`25s\`, \`5m\` or \`1h\`; a bare number is seconds. Sizes are written \`500\` (bytes), \`64KB\`, \`1MB\`
or \`2GB\`, in steps of 1024. A list is replaced by a stronger place, not added to. Paths are relative to the working
directory.

A value that is not allowed and a name that is unknown keep the server from starting. All problems are listed at once,
each with the place it comes from; \`downpipe check-config\` lists them without starting. Service keys are never shown.
Variables that Kubernetes makes for a service named \`downpipe\` (\`DOWNPIPE_SERVICE_HOST\` and the like) are ignored.

A file for a site behind a proxy on the same machine:

\`\`\`json
{
  "listen": "127.0.0.1:8080",
  "serviceKeyFile": "/etc/downpipe/keys",
  "authUrl": "https://www.example.com/downpipe/auth",
  "allowOrigin": ["https://www.example.com"],
  "anonymousChannels": ["public_*"],
  "trustProxy": "loopback",
  "heartbeat": 25
}
\`\`\`

A file may describe [many sites](sites.md), each under its name in \`sites\`. A site has no options of the whole server, which are
${names(options.filter(option => !siteOptions.includes(option)))}.
The others it inherits from the top level unless it has them itself, but for what is each site's own:
${names(siteOptions.filter(({ isOwn }) => isOwn))}.
`

function names(some: readonly Option[]): string {
  return some.map(option => `\`${option === table.configFile ? option.name : fileKey(option)}\``).join(', ')
}

function entry(option: Option): string {
  const { name, doc, defaultText, limits, what, isList } = option
  const initial = defaultText === 'none' ? 'none' : `\`${defaultText}\``
  const allowed = `${isList ? 'list, each: ' : ''}${limits || what}`
  const elsewhere = option === table.configFile ? '' : ` or \`${fileKey(option)}\``
  return `### --${name}

${plain(doc)}

- Default: ${initial}. Allowed: ${plain(allowed)}.
- Elsewhere: \`${environmentName(option)}\`${elsewhere}.
`
}

/** Text that Markdown must not take for markup: the stars and underscores of patterns. */
function plain(text: string): string {
  return text.replaceAll(/[*_<]/g, '\\$&')
}
