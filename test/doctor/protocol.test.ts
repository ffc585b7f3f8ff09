import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createSecureServer } from 'node:http2'
import { createServer } from 'node:https'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { CommandLine } from '../helpers/command-line.js'
import { listen } from '../helpers/listening.js'

async function certificate(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'downpipe-tls-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ]
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  await promisify(execFile)('openssl', [...request, ...names, '-keyout', key, '-out', cert])
  return { cert, tls: { key: await readFile(key), cert: await readFile(cert) } }
}

t.test('over https', async t => {
  const { cert, tls } = await certificate(t)
  /** Enough of Downpipe to be taken for it. */
  const answer = (_request: unknown, response: { end(text: string): unknown }) =>
    response.end('{"statusCode":401,"code":"DOWNPIPE_TOKEN_REQUIRED","message":"no"}')
  const examine = async (server: Server, env: Record<string, string>) => {
    const port = await listen(server)
    t.teardown(() => server.close())
    const doctor = new CommandLine(t, ['doctor', `https://localhost:${port}`], env, 'built')
    await doctor.exit
    return doctor.out
  }
  const trusting = { NODE_EXTRA_CA_CERTS: cert }
  const modern = await examine(createSecureServer({ ...tls, allowHTTP1: true }, answer), trusting)
  t.match(modern, /^ok +reach .*\n(.*\n)*ok +http version +browsers speak HTTP\/2/)
  const old = await examine(createServer(tls, answer), trusting)
  t.match(old, /^note +http version +browsers speak HTTP\/1\.1\n +that means: .*\n +nginx: http2 on;/m)
  const strange = await examine(createServer(tls, answer), {})
  t.match(strange, /^FAULT +reach +DEPTH_ZERO_SELF_SIGNED_CERT\n/)
})
