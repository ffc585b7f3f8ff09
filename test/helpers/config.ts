import { type Config, ConfigError, type ConfigInput, loadConfig } from '../../src/config.js'

/** Two service keys that are allowed. */
export const key = 'a-key-of-sixteen-or-more'
export const otherKey = 'another-key-0123456789'

/** What a test gives; nothing, where it says nothing. */
export interface Given {
  readonly argv?: readonly string[]
  readonly env?: ConfigInput['env']
  /** The text, or the content, of files by path. */
  readonly files?: Readonly<Record<string, unknown>>
}

/** Loads a configuration from files in memory. */
export function load(
  { argv = [], env = {}, files = {} }: Given,
  random = () => 'made-at-random-0123',
): Config {
  const readFile = (path: string) => {
    const content = files[path]
    if (content === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`)
    return typeof content === 'string' ? content : JSON.stringify(content)
  }
  return loadConfig({ argv, env, readFile, random })
}

/** Loads with a service key, which the test is not about. */
export function withKey({ argv = [], ...given }: Given): Config {
  return load({ ...given, argv: [...argv, `--service-key=${key}`] })
}

/** The problems of a configuration; none if it loads. */
export function problems(given: Given, by: (given: Given) => Config = withKey): readonly string[] {
  try {
    by(given)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}
