import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../../', import.meta.url)

/** Name and version of an installed package, `fastify 5.1.0`; the package alone if it is not installed. */
export function installedVersion(name: string): string {
  try {
    const manifest: unknown = JSON.parse(
      readFileSync(new URL(`node_modules/${name}/package.json`, root), 'utf8'),
    )
    if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) return name
    return `${name} ${manifest.version}`
  } catch {
    return name
  }
}

/** Whether a package is installed. */
export function isInstalled(name: string): boolean {
  return existsSync(new URL(`node_modules/${name}/package.json`, root))
}

/** Path of a file of this repository. */
export function repositoryPath(relative: string): string {
  return fileURLToPath(new URL(relative, root))
}
