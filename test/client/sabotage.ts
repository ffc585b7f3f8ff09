import { readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** A piece of a source file of the browser script, and what is put in its place. */
export interface Sabotage {
  readonly file: string
  readonly piece: string
  readonly instead: string
}

/**
 * Builds the browser script with a fault in it, into a folder, so that tests can show that they would find the fault.
 *
 * @throws Error when the piece is not there, or not once: then the test must follow the source
 */
export async function buildSabotaged(folder: string, { file, piece, instead }: Sabotage): Promise<void> {
  let isDone = false
  const result = await build({
    entryPoints: [fileURLToPath(new URL('../../src/client/global.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    plugins: [
      {
        name: 'sabotage',
        setup: ({ onLoad }) =>
          onLoad({ filter: /\.ts$/ }, async ({ path }) => {
            const source = await readFile(path, 'utf8')
            if (basename(path) !== file) return { contents: source, loader: 'ts' }
            if (source.split(piece).length !== 2) throw new Error(`not once in ${file}: ${piece}`)
            isDone = true
            return { contents: source.replace(piece, () => instead), loader: 'ts' }
          }),
      },
    ],
  })
  if (!isDone) throw new Error(`${file} is no part of the script`)
  await writeFile(join(folder, 'downpipe.js'), result.outputFiles[0]?.text ?? '')
}
