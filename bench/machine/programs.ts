import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const ENTRIES = {
  reader: '../load/reader.ts',
  publisher: '../load/publisher.ts',
  naive: '../peers/naive-server.ts',
} as const

/** Paths of the compiled programs that run in processes of their own. */
export type Programs = Readonly<Record<keyof typeof ENTRIES, string>>

/**
 * Compiles the programs to plain JavaScript under `dist/bench/`: neither what is measured nor what measures it shall
 * carry a TypeScript loader with its thread and its memory.
 */
export function compilePrograms(): Programs {
  const outdir = fileURLToPath(new URL('../../dist/bench/', import.meta.url))
  mkdirSync(outdir, { recursive: true })
  const path = (url: string) => fileURLToPath(new URL(url, import.meta.url))
  buildSync({
    entryPoints: Object.fromEntries(Object.entries(ENTRIES).map(([name, source]) => [name, path(source)])),
    outdir,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  })
  return {
    reader: `${outdir}reader.js`,
    publisher: `${outdir}publisher.js`,
    naive: `${outdir}naive.js`,
  }
}
