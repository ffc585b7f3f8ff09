import type { Test } from 'tap'
import { type App, createApp } from '../../src/app.js'
import { type Config, defaults } from '../../src/config.js'
import { createListener, listen } from '../../src/listener.js'
import { serviceKey } from './server.js'

/** A service whose parts a test may break, and what it logs of its faults. It ends with the test. */
export async function openApp(
  t: Pick<Test, 'teardown'>,
  overrides: Partial<Config> = {},
): Promise<{ readonly url: string; readonly app: App; readonly logged: readonly unknown[] }> {
  const config = defaults({ serviceKeys: [serviceKey], logLevel: 'silent', ...overrides })
  const app = await createApp(config)
  await app.browsers.ready()
  const logged: unknown[] = []
  app.browsers.log.error = (...words: unknown[]) => logged.push(words)
  const { server, cut } = createListener(config, app.answerers, { free: 10 })
  const url = await listen(server, { host: '127.0.0.1', port: 0 })
  t.teardown(async () => {
    server.close()
    cut()
    await app.close()
  })
  return { url, app, logged }
}

/**
 * Asserts that a service that breaks while it verifies a token answers so, and logs it without the token.
 *
 * @param ask asks for the address, which holds a token, as often as `times`
 */
export async function logsFaults(
  t: Test,
  route: string,
  times: number,
  ask: (url: string, address: string) => Promise<void>,
): Promise<void> {
  const { url, app, logged } = await openApp(t, { anonymousChannels: ['*'] })
  for (const { authenticator } of app.sites) {
    authenticator.authenticate = () => Promise.reject(new Error('something broke'))
  }
  await ask(url, `${route}?token=secret`)
  t.equal(logged.length, times)
  for (const entry of logged) t.match(entry, [{ err: { message: 'something broke' }, route }, String])
  t.notMatch(JSON.stringify(logged), 'secret')
}
