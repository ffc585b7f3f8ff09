import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'

const screenshots = fileURLToPath(new URL('../screenshots', import.meta.url))

const executablePath = '/usr/bin/chromium'

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * Launches Debian's Chromium for a test file, without a window, and closes it at the file's end.
 *
 * @param file the file's own test: the default export of tap
 */
export async function launchChromium(file: Pick<Test, 'teardown'>): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath,
    args,
  })
  file.teardown(() => browser.close())
  return browser
}

/**
 * Launches Chromium as people have it: a tab behind another one is hidden and may be frozen, and pages are kept for the back button.
 * Playwright's own way of launching it keeps all of that from happening.
 *
 * @returns the only context; each server that is visited is an origin of its own
 */
export async function launchBrowserOfPeople(file: Pick<Test, 'teardown'>): Promise<BrowserContext> {
  const profile = await mkdtemp(join(tmpdir(), 'downpipe-chromium-'))
  const browser = spawn(
    executablePath,
    [...args, '--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const ended = once(browser, 'exit')
  // A file that fails before its tests begin is never torn down.
  process.once('exit', () => browser.kill())
  file.teardown(async () => {
    browser.kill()
    await ended
    // Its other processes may be writing still.
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  })
  const address = await new Promise<string>((resolve, reject) => {
    let text = ''
    browser.stderr.on('data', piece => {
      text += piece
      const found = /ws:\/\/\S+/.exec(text)?.[0]
      if (found !== undefined) resolve(found)
    })
    browser.on('exit', () => reject(new Error(`Chromium does not start: ${text}`)))
  })
  const connected = await chromium.connectOverCDP(address, { noDefaults: true })
  file.teardown(() => connected.close())
  const [context] = connected.contexts()
  if (context === undefined) throw new Error('Chromium has no context')
  return context
}

/** Leaves a screenshot in test/screenshots, named after the test, if the test fails. */
export function screenshotOnFailure(t: Test, page: Page): void {
  t.teardown(async () => {
    if (t.passing()) return
    await mkdir(screenshots, { recursive: true })
    await page.screenshot({ path: `${screenshots}/${t.fullname.replace(/[^a-z0-9]+/gi, '-')}.png` })
  })
}
