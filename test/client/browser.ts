import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import type { TAP, Test } from 'tap'
import type { Push } from '../../src/client/index.js'
import { launchChromium, screenshotOnFailure } from '../helpers/chromium.js'
import { type FakeServer, startFakeServer } from './fake-server.js'
import { Queue } from './queue.js'

declare global {
  interface Window {
    /** Tells the test what happened, in order. */
    say(...what: unknown[]): void
    /** The delays, in ms, of all timers that the page has set. */
    delays: number[]
    /** The connection that a test goes on with. */
    push: Push
  }
}

/** A page of a fake server, with what its test listens to. */
export interface Visit {
  readonly server: FakeServer
  readonly page: Page
  /** What the page has said, in order. */
  readonly said: Queue<unknown[]>
  /** Exceptions that nobody has caught, in order. */
  readonly uncaught: Queue<string>
  /** Lines on the console that are neither from `say` nor the browser's own remarks about requests that failed. */
  readonly console: readonly string[]
}

/** Builds the browser script from the sources as they are, into a folder of its own. */
export async function buildScripts(folder: string): Promise<void> {
  const build = fileURLToPath(new URL('../../src/client/build.mjs', import.meta.url))
  await promisify(execFile)(process.execPath, [build, folder])
}

// Time passes at once, and chance is in the middle, so that tests can look at the delays and need not live through them.
function hurry(): void {
  const setTimer = window.setTimeout.bind(window)
  window.delays = []
  const hurried = (handler: () => void, ms = 0) => {
    window.delays.push(ms)
    return setTimer(handler, 0)
  }
  Object.assign(window, { setTimeout: hurried })
  Math.random = () => 0.5
}

function talk(): void {
  // biome-ignore lint/suspicious/noConsole: of all that a page can tell us by, only the console keeps the order.
  window.say = (...what) => console.log(`say ${JSON.stringify(what)}`)
}

/** Starts a new fake server and visits its empty page, or another path of it. */
type Visiting = (t: Test, pages?: Record<string, string>, path?: string) => Promise<Visit>

let prepared: Promise<Visiting> | undefined

/** Prepares a test file: builds the script, launches the browser. Files that share a process share both. */
export function prepareBrowser(file: TAP): Promise<Visiting> {
  prepared ??= prepare(file)
  return prepared
}

async function prepare(file: TAP): Promise<Visiting> {
  const scripts = file.testdir()
  const [browser] = await Promise.all([launchChromium(file), buildScripts(scripts)])
  // One for all tests, because opening takes longer than most of them. Each server is an origin of its own.
  const page = await browser.newPage()
  let visit: { said: Queue<unknown[]>; uncaught: Queue<string>; console: string[] } | undefined
  page.on('console', line => {
    const text = line.text()
    if (text.startsWith('say ')) visit?.said.push(JSON.parse(text.slice(4)))
    else if (!text.startsWith('Failed to load resource')) visit?.console.push(text)
  })
  page.on('pageerror', error => visit?.uncaught.push(error.message))
  await page.addInitScript(talk)
  await page.addInitScript(hurry)

  return async (t, pages = {}, path = '/') => {
    const server = await startFakeServer(scripts, pages)
    t.teardown(() => server.close())
    screenshotOnFailure(t, page)
    // The last test's page may have something to say until it is left, and this one's as soon as it is there.
    await page.goto('about:blank')
    visit = { said: new Queue(), uncaught: new Queue(), console: [] }
    await page.goto(server.url + path, { waitUntil: 'load' })
    return { server, page, ...visit }
  }
}

/** Does what wakes whatever still lives in a page, and waits until it would have asked for something. */
export async function wakeAll(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (const type of ['online', 'pageshow', 'resume']) window.dispatchEvent(new Event(type))
    document.dispatchEvent(new Event('visibilitychange'))
    // Other than a timer, an answer tells that requests made before were sent.
    for (let count = 0; count < 3; count++) await fetch('/nothing')
  })
}
