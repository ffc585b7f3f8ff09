import type { FastifyInstance, FastifySchemaCompiler } from 'fastify'
import { IsInteger, IsObject, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { InvalidRequest } from './errors.js'
import { formProblem } from './form-problem.js'
import { isRecord } from './record.js'

/** How the parts of a request are called in an error. */
const places: Readonly<Record<string, string>> = { querystring: 'query', params: 'path' }

/**
 * How the schemas of routes are used: requests are held to them, and nothing of a request is changed; answers are written as handlers
 * make them, and their schemas describe them only. In somebody else's app, where other ways may be set, this is for our part of it.
 */
export function setCompilers(app: FastifyInstance): void {
  app.setValidatorCompiler(checkForm)
  app.setSerializerCompiler(() => JSON.stringify)
}

/**
 * Checks a body or the parameters of an address. A name that is unknown is refused: a filter with a slip of the pen would list
 * everybody. Parameters of an address come as text; one that shall be an integer is read as one, if it is written like one.
 */
const checkForm: FastifySchemaCompiler<TSchema> = ({ schema, httpPart = 'body' }) => {
  const where = places[httpPart] ?? httpPart
  const properties = IsObject(schema) ? schema.properties : undefined
  const form = Compile(schema)
  return (given: unknown) => {
    const unknown = Object.keys(isRecord(given) ? given : {}).find(name => !isKnown(name, properties))
    if (unknown !== undefined) {
      return { error: new InvalidRequest(`${where}: unknown field ${JSON.stringify(unknown.slice(0, 100))}`) }
    }
    const value = httpPart === 'body' ? given : withIntegers(given, properties)
    if (form.Check(value)) return { value }
    return { error: new InvalidRequest(formProblem(form.Errors(value), where)) }
  }
}

function isKnown(name: string, properties: Readonly<Record<string, TSchema>> | undefined): boolean {
  return properties === undefined || Object.hasOwn(properties, name)
}

function withIntegers(given: unknown, properties: Readonly<Record<string, TSchema>> = {}): unknown {
  if (!isRecord(given)) return given
  const value = { ...given }
  for (const [name, text] of Object.entries(given)) {
    if (IsInteger(properties[name]) && typeof text === 'string' && /^\d{1,15}$/.test(text)) {
      value[name] = Number(text)
    }
  }
  return value
}
