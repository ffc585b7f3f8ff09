import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'

const screenshots = fileURLToPath(new URL('../screenshots', import.meta.url))

/**
 * Launches Debian's Chromium for a test file, without a window, and closes it at the file's end.
 *
 * @param file the file's own test: the default export of tap
 */
export async function launchChromium(file: Pick<Test, 'teardown'>): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    // Pages are kept for the back button, as people's browsers keep them.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  file.teardown(() => browser.close())
  return browser
}

/** Leaves a screenshot in test/screenshots, named after the test, if the test fails. */
export function screenshotOnFailure(t: Test, page: Page): void {
  t.teardown(async () => {
    if (t.passing()) return
    await mkdir(screenshots, { recursive: true })
    await page.screenshot({ path: `${screenshots}/${t.fullname.replace(/[^a-z0-9]+/gi, '-')}.png` })
  })
}
