import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import t from 'tap'
import { createApp } from '../src/app.js'
import { setCompilers } from '../src/compilers.js'
import { defaults } from '../src/config.js'
import { describeRoutes, hideRoutes, registerOpenApi } from '../src/openapi.js'
import { answerProblems, type DescribedRoute, type Description, routesOf } from './helpers/openapi.js'
import { serviceKey } from './helpers/server.js'

const app = await createApp(
  defaults({
    serviceKeys: [serviceKey, { key: 'may-do-nothing-at-all', operations: [] }],
    logLevel: 'silent',
  }),
)
await app.browsers.ready()
t.teardown(() => app.close())
const description: Description = (await app.browsers.inject('/openapi.json')).json()
const routes = routesOf(description)
const docs = readFileSync(new URL('../public/docs/http.md', import.meta.url), 'utf8')

/**
 * Every `METHOD /path` in the text, with the names of its query where they are given (`?limit&after`). One with names filled in counts
 * as the route that it is an example of.
 */
function documented(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  for (const [, method, path = '', query] of text.matchAll(
    /\b(GET|POST|PUT|DELETE|PATCH) (\/[\w/:.-]*)(?:\?([\w&]+)(?![\w&=]))?/g,
  )) {
    const route = routeOf(`${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
    found.set(route, query?.split('&') ?? found.get(route) ?? [])
  }
  return found
}

function routeOf(text: string): string {
  if (routes.has(text)) return text
  const isExample = (route: string) => new RegExp(`^${route.replaceAll(/\{\w+\}/g, '[^/{]+')}$`).test(text)
  return [...routes.keys()].find(isExample) ?? text
}

function queryOf({ parameters = [] }: DescribedRoute): readonly string[] {
  return parameters.filter(({ in: where }) => where === 'query').map(({ name }) => name)
}

/** The names in code in the first column of the tables of a section (up to the next heading of the same depth or less). */
function tableNames(heading: string): readonly string[] {
  const depth = heading.indexOf(' ')
  const section = docs.slice(docs.indexOf(`\n${heading}\n`) + heading.length + 1)
  const end = section.search(new RegExp(`\n#{1,${depth}} `))
  const cells = [...section.slice(0, end).matchAll(/^\| ([^|]*`[^|]*) \|/gm)].map(([, cell = '']) => cell)
  return cells.flatMap(cell => [...cell.matchAll(/`(\w+)[^`]*`/g)].map(([, name = '']) => name))
}

/** The routes of the running app, as the router knows them; not from the hooks that the description is made by. */
function running(printed: string): readonly string[] {
  const found: string[] = []
  const parents: string[] = []
  for (const line of printed.split('\n')) {
    const match = /^([│ ]*)[├└]── (\S+)(?: \(([A-Z, ]+)\))?/.exec(line)
    if (match === null) continue
    const [, indent = '', part = '', methods = ''] = match
    const depth = indent.length / 4
    parents.length = depth
    parents.push(part)
    const path = parents.join('').replaceAll(/:(\w+)/g, '{$1}')
    for (const method of methods.split(', ').filter(word => word !== '')) found.push(`${method} ${path}`)
  }
  return found.filter(route => route !== 'OPTIONS *')
}

t.test('what runs, what is described and what is documented are the same routes', async t => {
  const described = [...routes.keys()].sort()
  t.ok(described.length > 15)
  t.strictSame(running(app.browsers.printRoutes({ commonPrefix: false })).toSorted(), described)
  t.strictSame([...documented(docs).keys()].sort(), described)
})

t.test('the documented parameters are the described ones', async t => {
  const words = documented(docs)
  const ofBrowsers = tableNames('## For browsers')
  for (const [name, route] of routes) {
    const query = queryOf(route)
    if (name === 'GET /v1/stream') {
      t.strictSame(
        query,
        ofBrowsers.filter(word => !['wait', 'v'].includes(word)),
      )
    } else if (name === 'GET /v1/poll') t.strictSame(query.toSorted(), ofBrowsers.toSorted())
    else t.strictSame(query, words.get(name), name)
  }
  const ofListings = [...routes].flatMap(([name, route]) => (name.match(/stream|poll/) ? [] : queryOf(route)))
  const table = tableNames('### Listings')
  for (const name of new Set(ofListings)) t.ok(table.includes(name), name)
})

t.test('the documented fields of bodies are the described ones', async t => {
  let bodies = 0
  for (const [name, { requestBody }] of routes) {
    if (requestBody === undefined) continue
    bodies += 1
    const fields = fieldsOf(requestBody.content['application/json']?.schema)
    const section = tableNames(`### \`${name.replaceAll(/\{(\w+)\}/g, ':$1')}\``)
    const inline = new RegExp(`\`${name} (\\{.*?\\})\``).exec(docs)?.[1]
    const words = inline === undefined ? section : Object.keys(JSON.parse(inline.replaceAll('…', '')))
    t.strictSame([...words].sort(), fields.toSorted(), name)
  }
  t.ok(bodies >= 3)
})

function fieldsOf(schema: object | undefined): string[] {
  if (schema === undefined) return []
  if ('properties' in schema) return Object.keys(Object(schema.properties))
  const one: unknown = 'anyOf' in schema && Array.isArray(schema.anyOf) ? schema.anyOf[0] : undefined
  return typeof one === 'object' && one !== null ? fieldsOf(one) : []
}

t.test('the documented answers of the listings are of the described form', async t => {
  const examples = [...docs.matchAll(/^#### `GET (\S+?)(?:\?\S*)?`\n\n {4}(\{.*\})$/gm)]
  t.equal(examples.length, 5)
  for (const [, path = '', json = ''] of examples) {
    const route = `GET ${path.replaceAll(/:(\w+)/g, '{$1}')}`
    t.strictSame(answerProblems(description, route, 200, JSON.parse(json)), [], route)
  }
})

t.test('a route needs a key just when it is said to, and each has an operation', async t => {
  const open: string[] = []
  for (const [name, { security = [] }] of routes) {
    const [method, path = ''] = name.split(' ')
    const ask = (key?: string) =>
      app.browsers.inject({
        method: method === 'GET' ? 'GET' : method === 'POST' ? 'POST' : method === 'PUT' ? 'PUT' : 'DELETE',
        url: path.replaceAll(/\{(\w+)\}/g, 'x'),
        headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
      })
    if (!security.some(way => 'serviceKey' in way)) {
      open.push(name)
      continue
    }
    for (const [key, status, code] of [
      [undefined, 401, 'DOWNPIPE_SERVICE_KEY_REQUIRED'],
      ['may-do-nothing-at-all', 403, 'DOWNPIPE_KEY_RESTRICTED'],
    ] as const) {
      const answer = await ask(key)
      t.match(answer.json(), { statusCode: status, code }, name)
      t.strictSame(answerProblems(description, name, answer.statusCode, answer.json()), [])
    }
  }
  t.strictSame(open.toSorted(), [
    'GET /downpipe-core.mjs',
    'GET /downpipe-html.js',
    'GET /downpipe.js',
    'GET /downpipe.mjs',
    'GET /healthz',
    'GET /openapi.json',
    'GET /readyz',
    'GET /v1/poll',
    'GET /v1/stream',
  ])
})

t.test('an error that says which message of an array it is about is as described', async t => {
  const publish = (body: unknown) =>
    app.browsers.inject({
      method: 'POST',
      url: '/v1/publish',
      headers: { authorization: `Bearer ${serviceKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const answer = await publish([{ channel: 'a' }, { channel: '' }])
  t.match(answer.json(), { statusCode: 400, index: 1 })
  t.strictSame(answerProblems(description, 'POST /v1/publish', answer.statusCode, answer.json()), [])
})

t.test('with a listener of its own for the CMS, the description is there, and has both sides', async t => {
  const config = { controlListen: [{ host: '127.0.0.1', port: 0 }], serviceKeys: [serviceKey] }
  const apart = await createApp(defaults({ ...config, logLevel: 'silent' }))
  t.teardown(() => apart.close())
  await Promise.all([apart.browsers.ready(), apart.control.ready()])
  t.equal((await apart.browsers.inject('/openapi.json')).statusCode, 404)
  const found: Description = (await apart.control.inject('/openapi.json')).json()
  t.strictSame([...routesOf(found).keys()].sort(), [...routes.keys()].sort())
})

t.test('what is registered under several prefixes is described once', async t => {
  const several = Fastify({ exposeHeadRoutes: false })
  t.teardown(() => several.close())
  setCompilers(several)
  await describeRoutes(several)
  registerOpenApi(several, [several])
  const schema = { summary: 'x', security: [] }
  await several.register(async v1 => v1.get('/x', { schema }, async () => ({})), { prefix: '/v1' })
  await several.register(
    async site => {
      hideRoutes(site)
      await site.register(async inner => inner.get('/x', { schema }, async () => ({})))
      site.get('/y', async () => ({}))
    },
    { prefix: '/sites/:site/v1' },
  )
  await several.ready()
  const found: Description = (await several.inject('/openapi.json')).json()
  t.strictSame([...routesOf(found).keys()], ['GET /openapi.json', 'GET /v1/x'])
  t.equal((await several.inject('/sites/one/v1/x')).statusCode, 200)
})

t.test('it is OpenAPI 3.1 with the version of the package', async t => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  t.match(description, { openapi: '3.1.0', info: { title: 'Downpipe', version } })
})
