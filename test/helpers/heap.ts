import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')

/** Bytes of memory that are in use, buffers included, after everything that can go has gone. */
export async function heapBytes(): Promise<number> {
  if (typeof collect !== 'function') throw new Error('this Node has no garbage collector to call')
  for (let round = 0; round < 3; round++) {
    collect()
    // What follows the life of promises, as the test runner does, lets go of them in a later turn.
    await turn()
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
