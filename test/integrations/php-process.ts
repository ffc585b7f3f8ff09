import { type ChildProcess, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { until } from '../helpers/calls.js'
import { freePort } from '../helpers/listening.js'
import { serviceKey } from '../helpers/server.js'

/** The file that is tested. */
export const library = fileURLToPath(new URL('../../src/integrations/php/Downpipe.php', import.meta.url))

/** No ini file and no extension; every warning and notice is printed, on the page as well. */
const strictest = ['-n', '-d', 'error_reporting=-1', '-d', 'display_errors=1', '-d', 'html_errors=0']

/** What a PHP script wrote, and how it ended. */
export interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A script that has a publisher as `$push`; `$options` are added to its options, in PHP. */
export function script(url: string, code: string, options = ''): string {
  return `<?php
require ${quote(library)};
$push = new \\Downpipe\\Downpipe(array(${options} 'url' => ${quote(url)}, 'key' => ${quote(serviceKey)}));
${code}
`
}

/** A text as PHP writes it. */
export function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}

/** Runs a script to its end. */
export async function runPhp(t: Test, source: string, ...more: readonly string[]): Promise<Outcome> {
  const file = join(t.testdir(), 'script.php')
  await writeFile(file, source)
  return outcome(t, [...strictest, ...more, file])
}

/** Runs PHP with these arguments to its end. */
export async function php(t: Test, ...argv: readonly string[]): Promise<Outcome> {
  return outcome(t, argv)
}

async function outcome(t: Test, argv: readonly string[]): Promise<Outcome> {
  const child = start(t, argv)
  let out = ''
  let err = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { code, out, err }
}

/** Serves a script as a page by PHP's own web server, and resolves to its address. */
export async function servePhp(t: Test, source: string): Promise<string> {
  const folder = t.testdir({ 'index.php': source })
  const port = await freePort()
  start(t, [...strictest, '-S', `127.0.0.1:${port}`, '-t', folder])
  const url = `http://127.0.0.1:${port}`
  await until('PHP serves', () =>
    fetch(`${url}/nothing.txt`).then(
      () => true,
      () => false,
    ),
  )
  return url
}

function start(t: Test, argv: readonly string[]): ChildProcess {
  const child = spawn('php', argv, { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise(resolve => child.once('close', resolve).once('error', resolve))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return child
}
