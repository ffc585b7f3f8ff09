import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')

/** Bytes of memory that are in use, buffers included, after everything that can go has gone. */
export function heapBytes(): number {
  if (typeof collect !== 'function') throw new Error('this Node has no garbage collector to call')
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
