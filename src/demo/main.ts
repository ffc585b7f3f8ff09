import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import closeWithGrace from 'close-with-grace'
import { defaults } from '../config.js'
import { startServer } from '../server.js'
import { buildCms } from './cms.js'
import { PUBLIC_CHANNELS } from './messages.js'
import { users } from './users.js'

const HOST = '127.0.0.1'

/** What browsers have to read their goodbye after a Ctrl-C. */
const DRAIN_MS = 1_000

/** After a Ctrl-C and this time, the process ends whatever is left. */
const CLOSE_MS = 3_000

const USAGE = `Usage: npm run demo -- [options]

  --port PORT       where the demo CMS listens (default 8081, 0: any free one)
  --push-port PORT  where the push service listens (default 8080, 0: any free one)
  --help            show this
`

/** What could be done about a failed start; shown without a stack. */
class StartError extends Error {}

interface Ports {
  readonly cms: number
  readonly push: number
}

try {
  const ports = readPorts()
  if (ports) await start(ports)
  else process.stdout.write(USAGE)
} catch (error) {
  process.stderr.write(`${error instanceof StartError ? error.message : String(error)}\n`)
  process.exitCode = 1
}

/** Undefined when help is wanted. */
function readPorts(): Ports | undefined {
  const port = { type: 'string' } as const
  const options = { port, 'push-port': port, help: { type: 'boolean' } } as const
  try {
    const { values } = parseArgs({ options })
    if (values.help) return undefined
    return {
      cms: readPort('--port', values.port ?? '8081'),
      push: readPort('--push-port', values['push-port'] ?? '8080'),
    }
  } catch (error) {
    if (error instanceof StartError) throw error
    throw new StartError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  }
}

function readPort(name: string, text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text)
  throw new StartError(`${name} is “${text}”, but must be a number from 0 to 65535.`)
}

/**
 * The CMS comes first: the push service must know its address, to ask it about tokens and to let its pages in. Only
 * then is the CMS told where the push service is.
 */
async function start(ports: Ports): Promise<void> {
  const serviceKey = randomBytes(32).toString('base64url')
  const cms = buildCms({ serviceKey })
  const cmsUrl = await listen('--port', ports.cms, () => cms.app.listen({ host: HOST, port: ports.cms }))
  const { port } = new URL(cmsUrl)
  const config = defaults({
    listen: [{ host: HOST, port: ports.push }],
    serviceKeys: [serviceKey],
    authUrl: `${cmsUrl}/downpipe/auth`,
    allowOrigins: [cmsUrl, `http://localhost:${port}`],
    anonymousChannels: PUBLIC_CHANNELS,
    logLevel: 'warn',
    drainTimeoutMs: DRAIN_MS,
  })
  const push = await listen('--push-port', ports.push, () => startServer(config)).catch(async error => {
    await cms.app.close()
    throw error
  })
  cms.push.url = push.url
  closeWithGrace({ delay: CLOSE_MS }, async () => {
    await Promise.all([cms.app.close(), push.close()])
  })
  process.stdout.write(banner(cmsUrl, push.url, serviceKey))
}

async function listen<Result>(option: string, port: number, start: () => Promise<Result>): Promise<Result> {
  try {
    return await start()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    const what = option === '--port' ? 'demo CMS' : 'push service'
    throw new StartError(
      `Port ${port} on ${HOST}, meant for the ${what}, is taken by another program.\n` +
        `Choose another one: npm run demo -- ${option} ${port + 100} (0: any free one)`,
    )
  }
}

function banner(cmsUrl: string, pushUrl: string, serviceKey: string): string {
  return `
Downpipe demo

  The demo CMS     ${cmsUrl}
  The push service ${pushUrl}

Open the article in two windows, log in as ${users.map(user => user.name).join(', ')} (no password), and write:

  over the stream (SSE)  ${cmsUrl}/article/1
  over long-polling      ${cmsUrl}/article/1?transport=poll

Or publish by hand; every open article page shows what arrives:

  curl ${pushUrl}/v1/publish -H 'Authorization: Bearer ${serviceKey}' \\
    -H 'Content-Type: application/json' -d '{"channel":"article_1","data":{"type":"notice","text":"Hello"}}'

Ctrl-C stops both.
`
}
