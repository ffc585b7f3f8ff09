import { readFileSync } from 'node:fs'
import t from 'tap'
import { commandHelp, commandList, commands, commandsMarkdown } from '../../src/commands/index.js'

t.test('every command says what it does, how it is called, and each of its options', async t => {
  for (const command of commands) {
    const help = commandHelp(command)
    t.match(commandList, new RegExp(`^  ${command.name} +${command.summary.slice(0, 10)}`, 'm'))
    t.ok(help.startsWith(`Usage: downpipe ${command.name} `), command.name)
    for (const option of command.options) t.match(help, `\n  --${option.name}`)
    t.match(help, /Exit codes: 0 done;/)
    for (const line of help.split('\n')) t.ok(line.length < 80, line)
  }
})

t.test('of what signs it is said where else the secret may be', async t => {
  for (const [name, variable] of [
    ['token', /DOWNPIPE_JWT_SECRET/],
    ['grant', /DOWNPIPE_GRANT_SECRET/],
  ] as const) {
    const command = commands.find(candidate => candidate.name === name)
    t.match(command && commandHelp(command), variable)
  }
})

t.test('the documentation page is what the commands say of themselves', async t => {
  const page = readFileSync(new URL('../../public/docs/command-line.md', import.meta.url), 'utf8')
  t.equal(page, commandsMarkdown())
})
