import { spawnSync } from 'node:child_process'
import { mkdirSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'

const OPTIONS = ['-std=c11', '-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra', '-Werror']

/**
 * Compiles C to a program of this machine.
 *
 * @param sources paths of all its files that end in `.c`
 * @param target path of the program
 * @returns why it could not be compiled, if it could not
 */
export function compileNative(sources: readonly string[], target: string): string | undefined {
  mkdirSync(dirname(target), { recursive: true })
  const { error, status, stderr } = spawnSync('cc', [...OPTIONS, '-o', partOf(target), ...sources], {
    encoding: 'utf8',
  })
  if (error !== undefined) return `there is no C compiler (${error.message})`
  if (status !== 0) return `cc does not take it: ${stderr.trim()}`
  renameSync(partOf(target), target)
  return undefined
}

/** Where a file is written before it is moved to its place, so that nobody reads half of one, or a program that runs is changed. */
export function partOf(target: string): string {
  return `${target}.${process.pid}`
}
