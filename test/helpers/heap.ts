import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')

/** Bytes of the heap that are in use, after everything that can go has gone. */
export function heapBytes(): number {
  if (typeof collect !== 'function') throw new Error('this Node has no garbage collector to call')
  collect()
  collect()
  return process.memoryUsage().heapUsed
}
