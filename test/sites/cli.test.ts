import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startCms } from '../helpers/cms.js'
import { CommandLine } from '../helpers/command-line.js'
import { poll } from '../helpers/poll-reader.js'

async function configFile(t: Test, content: unknown): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'downpipe-sites-'))
  t.teardown(() => rm(directory, { recursive: true }))
  const path = join(directory, 'downpipe.json')
  await writeFile(path, JSON.stringify(content))
  return path
}

t.test('the program serves the sites of a file, and says in its log which one it is about', async t => {
  const cms = await startCms()
  t.teardown(() => cms.close())
  cms.answer = (_token, response) => response.writeHead(500).end()
  const path = await configFile(t, {
    listen: '127.0.0.1:0',
    sites: {
      blog: { serviceKey: 'a-seCret-key-of-blog', authUrl: cms.url },
      shop: { serviceKey: 'a-seCret-key-of-shop', anonymousChannels: '*' },
    },
  })
  const cli = new CommandLine(t, ['--config', path])
  const [url = ''] = await cli.urls()
  t.match(await poll(`${url}/sites/shop`, { channels: ['a'] }), { status: 200 })
  t.match(await poll(`${url}/sites/blog`, { token: 'seCret' }), { status: 503 })
  t.match(await poll(url, { token: 'seCret' }), { status: 404 })
  t.match(await cli.says(/^.*could not be verified.*$/m), '"site":"blog"')
  cli.kill('SIGTERM')
  t.strictSame(await cli.exit, { code: 0, signal: null })
  t.notMatch(cli.out + cli.err, 'seCret')
})

t.test('check-config lists what is wrong with all sites, and no key', async t => {
  const path = await configFile(t, {
    sites: { blog: { serviceKey: 'seCret', heartbeat: 'often' }, shop: { listen: 80 } },
  })
  const cli = new CommandLine(t, ['check-config', '--config', path])
  t.strictSame(await cli.exit, { code: 2, signal: null })
  for (const named of [
    '4 problems in the configuration',
    `sites.blog.serviceKey in ${path}`,
    `sites.blog.heartbeat in ${path}`,
    `sites.shop.listen in ${path}: is an option of the whole server`,
    `sites.shop in ${path}: no service key`,
  ]) {
    t.match(cli.err, named)
  }
  t.notMatch(cli.err, 'seCret')
})
