import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import type { Test } from 'tap'

const SCREENSHOTS = fileURLToPath(new URL('../screenshots/', import.meta.url))

/** How long anything in a page may take. Far more than it does; only a failure waits that long. */
const PATIENCE_MS = 20_000

/** People who read the demo in real Chromium, each in a browser profile of their own. */
export class Readers {
  readonly #browser: Browser
  readonly #pages: Page[] = []
  /** What any page wrote to its console as an error, and exceptions that nobody caught. */
  readonly complaints: string[] = []

  /** The test's end closes their pages, and leaves a screenshot of each if the test failed. */
  constructor(t: Test, browser: Browser) {
    this.#browser = browser
    t.teardown(async () => {
      if (!t.passing()) await this.#photograph(t.name)
      for (const page of this.#pages) await page.context().close()
    })
  }

  /** Opens a page in a profile of its own: nobody is logged in there. */
  async open(url: string, options: { javaScriptEnabled?: boolean; width?: number } = {}): Promise<Page> {
    const { javaScriptEnabled = true, width = 1_000 } = options
    const context = await this.#browser.newContext({
      javaScriptEnabled,
      viewport: { width, height: 800 },
      reducedMotion: 'reduce',
    })
    context.setDefaultTimeout(PATIENCE_MS)
    context.on('page', page => this.#listen(page))
    const page = await context.newPage()
    await page.goto(url)
    return page
  }

  /** Opens a page and logs in. */
  async logIn(name: string, url: string, options?: { width?: number }): Promise<Page> {
    const page = await this.open(url, options)
    await page.getByRole('button', { name, exact: true }).click()
    await page.locator('#user', { hasText: name }).waitFor()
    return page
  }

  #listen(page: Page): void {
    this.#pages.push(page)
    page.on('pageerror', error => this.complaints.push(String(error)))
    page.on('console', message => {
      if (message.type() === 'error') this.complaints.push(`${message.text()} (${message.location().url})`)
    })
  }

  async #photograph(name: string): Promise<void> {
    await mkdir(SCREENSHOTS, { recursive: true })
    for (const [index, page] of this.#pages.entries()) {
      if (page.isClosed()) continue
      await page.screenshot({
        path: `${SCREENSHOTS}${name.replaceAll(/\W+/g, '-')}-${index}.png`,
        fullPage: true,
      })
    }
  }
}

/** Waits until the page says that it is live. */
export async function isLive(page: Page): Promise<void> {
  await page.locator('#connection[data-state=sse], #connection[data-state=poll]').waitFor()
}

/** Waits until a text stands in the page, once, at that place. */
export async function sees(page: Page, place: string, text: string): Promise<void> {
  await page.locator(place, { hasText: text }).waitFor()
}
