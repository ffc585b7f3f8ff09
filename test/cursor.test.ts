import fc from 'fast-check'
import t from 'tap'
import { formatCursor, parseSince } from '../src/cursor.js'
import { seed } from './helpers/seed.js'

t.test('a cursor is written as ms-n, and read back', async t => {
  t.equal(formatCursor({ ms: 1_763_762_400_000, n: 5_511 }), '1763762400000-5511')
  t.strictSame(parseSince('1763762400000-5511'), { cursor: { ms: 1_763_762_400_000, n: 5_511 } })
  t.strictSame(parseSince('0-0'), { cursor: { ms: 0, n: 0 } })
})

t.test('every cursor comes back as it was, and needs no preflight', async t => {
  // Another character in a cross-origin Last-Event-ID would make the browser ask first.
  const part = fc.nat({ max: 999_999_999_999_999 })
  fc.assert(
    fc.property(part, part, (ms, n) => {
      const text = formatCursor({ ms, n })
      t.match(text, /^[0-9-]+$/)
      t.strictSame(parseSince(text), { cursor: { ms, n } })
    }),
    { seed, numRuns: 100 },
  )
  t.comment(`seed ${seed}`)
})

t.test('without a dash it is a time', async t => {
  t.strictSame(parseSince('1763762400000'), { timeMs: 1_763_762_400_000 })
  t.strictSame(parseSince('0'), { timeMs: 0 })
})

t.test('what is neither is malformed, never an error', async t => {
  const texts = [
    '',
    '-',
    '-1',
    '1-',
    '1-2-3',
    '1--2',
    '+1',
    '1.5',
    '1e3',
    '0x10',
    ' 1',
    '1 ',
    '1-2\n',
    '1\n',
    '1-2\r\nid: 3-4',
    '١-٢',
    'NaN',
    'undefined',
    '1,2',
    '1234567890123456',
    '1-1234567890123456',
    `1-${'0'.repeat(1_000_000)}`,
  ]
  for (const text of texts) t.equal(parseSince(text), 'malformed', JSON.stringify(text.slice(0, 40)))
})
