import type { FastifySchemaCompiler } from 'fastify'
import { IsInteger, IsObject, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { InvalidRequest } from '../../errors.js'
import { formProblem } from '../../form-problem.js'

/**
 * Checks the parameters of an address. They come as text: one that shall be an integer is read as one, and must be written like
 * one. A parameter that is unknown, or there twice, is refused: a filter with a slip of the pen would list everybody.
 */
export const queryCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const where = httpPart === 'params' ? 'path' : 'query'
  const properties = IsObject(schema) ? schema.properties : {}
  const form = Compile(schema)
  return (given: Record<string, unknown>) => {
    const unknown = Object.keys(given).find(name => !Object.hasOwn(properties, name))
    if (unknown !== undefined) {
      const name = JSON.stringify(unknown.slice(0, 100))
      return { error: new InvalidRequest(`${where}: unknown parameter ${name}`) }
    }
    const value: Record<string, unknown> = { ...given }
    for (const [name, text] of Object.entries(given)) {
      if (IsInteger(properties[name]) && typeof text === 'string' && /^\d{1,15}$/.test(text)) {
        value[name] = Number(text)
      }
    }
    if (form.Check(value)) return { value }
    return { error: new InvalidRequest(formProblem(form.Errors(value), where)) }
  }
}
