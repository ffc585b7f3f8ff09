import type { TLocalizedValidationError } from 'typebox/error'

/**
 * Says in one sentence where the first field that is wrong is, and what it does not fit.
 *
 * Each branch of a union has an error of its own, so there may be several for one place; the deepest place is the one that the
 * writer has to look at. `where` is what the whole is called.
 */
export function formProblem(errors: readonly TLocalizedValidationError[], where: string): string {
  const field = errors[0]?.instancePath ?? ''
  let path = field
  for (const { instancePath } of errors) {
    if (instancePath.startsWith(`${field}/`) && instancePath.length > path.length) path = instancePath
  }
  const texts = errors
    .filter(error => error.instancePath === path && error.keyword !== 'anyOf')
    .map(error => (error.keyword === 'const' ? `must be ${error.params.allowedValue}` : error.message))
  const place = path.replaceAll(/\/(\d+)/g, '[$1]').replaceAll('/', '.')
  return `${where}${place}: ${[...new Set(texts)].join(', or ') || 'not of the documented form'}`
}
