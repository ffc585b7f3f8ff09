import { Compile } from 'typebox/compile'

/** One route, as `/openapi.json` describes it. */
export interface DescribedRoute {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
  readonly security?: readonly Readonly<Record<string, unknown>>[]
}

type Content = Readonly<Record<string, { readonly schema: object } | undefined>>

/** What `/openapi.json` says. */
export interface Description {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedRoute>>>>
}

/** Reads `/openapi.json` of the server. */
export async function readDescription(url: string): Promise<Description> {
  const response = await fetch(`${url}/openapi.json`)
  const body: unknown = await response.json()
  if (!isDescription(body)) throw new Error(`no description: ${response.status} ${JSON.stringify(body)}`)
  return body
}

function isDescription(body: unknown): body is Description {
  return typeof body === 'object' && body !== null && 'openapi' in body && 'paths' in body
}

/** The routes as `GET /v1/users/{uid}`, each with what is said of it. */
export function routesOf({ paths }: Description): ReadonlyMap<string, DescribedRoute> {
  return new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, route]) => [`${method.toUpperCase()} ${path}`, route] as const),
    ),
  )
}

/** What is wrong with the answer to `route` (`GET /v1/users/{uid}`), by its description; empty: nothing. */
export function answerProblems(
  description: Description,
  route: string,
  status: number,
  body: unknown,
): readonly string[] {
  const responses = routesOf(description).get(route)?.responses ?? {}
  const response = responses[status] ?? responses[`${Math.floor(status / 100)}XX`]
  const schema = response?.content?.['application/json']?.schema
  if (schema === undefined) return [`${route}: nothing is said of ${status}`]
  return Compile(schema)
    .Errors(body)
    .map(({ instancePath, message }) => `${route} ${status} ${instancePath}: ${message}`)
}
