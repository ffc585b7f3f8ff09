import t from 'tap'
import { type Grant, grantRefusals } from '../../src/auth/grant.js'
import { type Granted, weighGrants } from '../../src/auth/weighed-grants.js'

const nowMs = 1_000_000

function grant(channels: readonly string[], expiresMs = nowMs + 60_000, uid?: string): Grant {
  return { isGenuine: true, channels, uid, expiresMs }
}

const forged: Grant = { isGenuine: false, reason: grantRefusals.invalid }
const any = () => true

t.test('no grants come to nothing', async t => {
  t.strictSame(weighGrants([], '5', nowMs, any), {
    added: [],
    open: [],
    lapsed: [],
    refused: [],
    endMs: Number.POSITIVE_INFINITY,
  })
})

t.test('names are listened on, patterns allow, and the first end is known', async t => {
  const grants = [grant(['a', 'b_*', 'a'], nowMs + 3), grant(['a', 'c'], nowMs + 2), grant(['*'])]
  t.strictSame(weighGrants(grants, '5', nowMs, any), {
    added: ['a', 'c'],
    open: ['b_*', '*'],
    lapsed: [],
    refused: [],
    endMs: nowMs + 2,
  })
})

t.test('a grant that does not count is named with its place; only a genuine one has channels', async t => {
  const grants = [
    forged,
    grant(['for_5'], nowMs + 1, '5'),
    grant(['for_7', 'for_7_*'], nowMs + 1, '7'),
    grant(['over'], nowMs),
    grant(['over_and_for_7'], nowMs, '7'),
  ]
  t.strictSame(weighGrants(grants, '5', nowMs, any), {
    added: ['for_5'],
    open: [],
    lapsed: ['for_7', 'for_7_*', 'over', 'over_and_for_7'],
    refused: [
      { grant: 0, reason: 'not valid' },
      { grant: 2, reason: 'not for this user' },
      { grant: 3, reason: 'expired' },
      { grant: 4, reason: 'expired' },
    ],
    endMs: nowMs + 1,
  })
})

t.test('a grant for a user is nothing to an anonymous reader, whatever the user is called', async t => {
  for (const uid of ['5', 'null', '']) {
    t.match(weighGrants([grant(['a'], nowMs + 1, uid)], null, nowMs, any), {
      added: [],
      refused: [{ grant: 0, reason: 'not for this user' }],
      endMs: Number.POSITIVE_INFINITY,
    })
  }
})

t.test('grants count in their order as long as they fit', async t => {
  const isFitting = ({ added }: Granted) => added.length <= 2
  const grants = [grant(['a']), grant(['b', 'c']), forged, grant(['a', 'd']), grant(['e']), grant(['f_*'])]
  t.match(weighGrants(grants, null, nowMs, isFitting), {
    added: ['a', 'd'],
    open: ['f_*'],
    lapsed: ['b', 'c', 'e'],
    refused: [
      { grant: 1, reason: 'too many channels' },
      { grant: 2, reason: 'not valid' },
      { grant: 4, reason: 'too many channels' },
    ],
  })
})
