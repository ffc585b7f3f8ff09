import type { Test } from 'tap'
import { type Config, defaults, type SiteConfig } from '../../src/config.js'
import { type RunningServer, startServer } from '../../src/server.js'
import { type Cms, startCms } from './cms.js'

/** One site of a server, with a CMS and a service key of its own. */
export interface TestSite {
  /** What a client takes for the server's address. */
  readonly url: string
  readonly key: string
  readonly cms: Cms
  /** `POST /v1<path>` with the site's key, or another one. */
  post(path: string, body: unknown, key?: string): Promise<{ status: number; body: unknown }>
  /** `GET /v1<path>` with the site's key, or another one. */
  get(path: string, key?: string): Promise<{ status: number; body: unknown }>
}

/** A server with a site at the top level and two more. */
export interface SitesServer extends RunningServer {
  readonly main: TestSite
  readonly blog: TestSite
  readonly shop: TestSite
}

/** What a test wants otherwise than usual. */
export interface SitesOverrides {
  readonly main?: Partial<Config>
  readonly blog?: Partial<SiteConfig>
  readonly shop?: Partial<SiteConfig>
}

const keys = { main: 'a-service-key-of-main', blog: 'a-service-key-of-blog', shop: 'a-service-key-of-shop' }

/** Starts the server; it ends with the test. */
export async function startSites(t: Test, overrides: SitesOverrides = {}): Promise<SitesServer> {
  const cms = { main: await startCms(), blog: await startCms(), shop: await startCms() }
  const usual = (name: keyof typeof keys) => ({ serviceKeys: [keys[name]], authUrl: cms[name].url })
  const server = await startServer(
    defaults({
      listen: [{ host: '127.0.0.1', port: 0 }],
      logLevel: 'silent',
      drainTimeoutMs: 2_000,
      ...usual('main'),
      sites: [
        { name: 'blog', config: defaults({ ...usual('blog'), ...overrides.blog }) },
        { name: 'shop', config: defaults({ ...usual('shop'), ...overrides.shop }) },
      ],
      ...overrides.main,
    }),
  )
  t.teardown(async () => {
    await server.close()
    for (const each of Object.values(cms)) await each.close()
  })
  const control = server.urls.at(-1) ?? ''
  const site = (name: keyof typeof keys, prefix: string): TestSite => ({
    url: server.url + prefix,
    key: keys[name],
    cms: cms[name],
    post: (path, body, key = keys[name]) =>
      ask(`${control}${prefix}/v1${path}`, key, { method: 'POST', body: JSON.stringify(body) }),
    get: (path, key = keys[name]) => ask(`${control}${prefix}/v1${path}`, key),
  })
  return {
    ...server,
    main: site('main', ''),
    blog: site('blog', '/sites/blog'),
    shop: site('shop', '/sites/shop'),
  }
}

async function ask(
  url: string,
  key: string,
  init: RequestInit = {},
): Promise<{ status: number; body: unknown }> {
  const type = init.body === undefined ? {} : { 'content-type': 'application/json' }
  const response = await fetch(url, { ...init, headers: { authorization: `Bearer ${key}`, ...type } })
  return { status: response.status, body: await response.json() }
}
