import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { compileNative, partOf } from './compiler.js'
import type { LoadProgram } from './load-process.js'

const NATIVE_LOAD = '../load/native/'
/** What the probe consists of; all else there is the reader's. */
const PROBE = ['probe.c', 'report.c', 'histogram.c'].map(name => path(NATIVE_LOAD + name))
const ENTRIES = {
  reader: '../load/reader.ts',
  publisher: '../load/publisher.ts',
  naive: '../peers/naive-server.ts',
  betterSse: '../peers/better-sse-server.ts',
  socketIo: '../peers/socket-io-server.ts',
} as const

/** The compiled programs that run in processes of their own. */
export interface Programs {
  readonly reader: LoadProgram
  readonly publisher: LoadProgram
  /** Asks a server whether it is alive; absent where there is no C compiler. */
  readonly probe?: LoadProgram
  /** Paths of scripts for Node. */
  readonly naive: string
  readonly betterSse: string
  readonly socketIo: string
  /** Why the native reader is not there, when it was not asked for that the reader be Node's. */
  readonly nativeMissing?: string
}

/**
 * Compiles the programs under `dist/bench/`, to plain JavaScript, and the native reader to what the machine runs: neither
 * what is measured nor what measures it shall carry a TypeScript loader with its thread and its memory.
 *
 * @param reader which reader to use; `undefined`: the native one where it can be compiled
 * @throws Error if the native one was asked for and cannot be compiled
 */
export function compilePrograms(reader?: LoadProgram['kind']): Programs {
  const outdir = path('../../dist/bench/')
  mkdirSync(outdir, { recursive: true })
  const { outputFiles } = buildSync({
    entryPoints: Object.fromEntries(Object.entries(ENTRIES).map(([name, source]) => [name, path(source)])),
    outdir,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
    write: false,
  })
  for (const { path, contents } of outputFiles) {
    writeFileSync(partOf(path), contents)
    renameSync(partOf(path), path)
  }
  const nativeMissing = reader === 'node' ? undefined : compileNative(readerSources(), `${outdir}reader`)
  if (reader === 'native' && nativeMissing !== undefined) {
    throw new Error(`the native reader cannot be compiled: ${nativeMissing}`)
  }
  const isNative = reader !== 'node' && nativeMissing === undefined
  return {
    reader: isNative
      ? { kind: 'native', path: `${outdir}reader` }
      : { kind: 'node', path: `${outdir}reader.js` },
    publisher: { kind: 'node', path: `${outdir}publisher.js` },
    ...(compileNative(PROBE, `${outdir}probe`) === undefined
      ? { probe: { kind: 'native', path: `${outdir}probe` } }
      : {}),
    naive: `${outdir}naive.js`,
    betterSse: `${outdir}betterSse.js`,
    socketIo: `${outdir}socketIo.js`,
    ...(nativeMissing === undefined ? {} : { nativeMissing }),
  }
}

function readerSources(): readonly string[] {
  const folder = path(NATIVE_LOAD)
  return readdirSync(folder)
    .filter(name => name.endsWith('.c') && name !== 'probe.c')
    .map(name => folder + name)
}

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url))
}
