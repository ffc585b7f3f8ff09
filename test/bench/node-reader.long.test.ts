import t from 'tap'
import { killAllChildren } from '../../bench/machine/child.js'
import { compilePrograms } from '../../bench/machine/programs.js'
import { conform } from './reader-conformance.js'

t.teardown(killAllChildren)

t.test('the reader in TypeScript', async t => conform(t, compilePrograms('node').reader))
