import t from 'tap'
import { killAllChildren } from '../../bench/machine/child.js'
import { compilePrograms } from '../../bench/machine/programs.js'
import { conform } from './reader-conformance.js'

t.teardown(killAllChildren)
const { nativeMissing } = compilePrograms()

t.test('the reader in C', { skip: nativeMissing ?? false }, async t =>
  conform(t, compilePrograms('native').reader),
)
