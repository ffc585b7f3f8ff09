import t from 'tap'
import { type Entitling, entitle as entitleBy, hashToken, type Identity } from '../../src/auth/identity.js'
import { identity } from '../helpers/verifier.js'

function entitle(
  identity: Identity,
  asked: readonly string[],
  open: readonly string[],
  more: Partial<Entitling> = {},
) {
  const { channels, refused } = entitleBy(identity, {
    asked,
    open,
    added: [],
    isHidden: () => false,
    ...more,
  })
  return { channels, refused }
}

const reader = identity({ channels: ['news', 'user_5', 'public_*', 'news'] })

t.test('without asking, a subscriber listens on what its identity names in full, each once', async t => {
  t.strictSame(entitle(reader, [], []), { channels: ['news', 'user_5'], refused: undefined })
  t.strictSame(entitle(identity({ channels: ['*'] }), [], ['*']), { channels: [], refused: undefined })
  t.strictSame(entitle(identity({ channels: [] }), [], ['open']), { channels: [], refused: undefined })
})

t.test(
  'who asks gets those that are allowed, by name or by prefix, in the order asked for, each once',
  async t => {
    const asked = ['public_b', 'news', 'public_a', 'public_b']
    t.strictSame(entitle(reader, asked, []), {
      channels: ['public_b', 'news', 'public_a'],
      refused: undefined,
    })
    t.strictSame(entitle(reader, ['public_'], []).channels, ['public_'])
    t.strictSame(entitle(identity({ channels: ['*'] }), ['anything'], []).channels, ['anything'])
  },
)

t.test('the first that is not allowed is named; the others are granted', async t => {
  t.strictSame(entitle(reader, ['news', 'secret', 'public_a', 'private'], []), {
    channels: ['news', 'public_a'],
    refused: 'secret',
  })
  for (const channel of ['public', 'Public_a', 'new', 'newsx', 'user_55', '__proto__', 'constructor']) {
    t.strictSame(entitle(reader, [channel], []), { channels: [], refused: channel })
  }
})

t.test('everybody may ask for what is open, by name or by prefix', async t => {
  const open = ['lobby', 'node_*']
  t.strictSame(entitle(reader, ['lobby', 'node_17', 'news'], open).channels, ['lobby', 'node_17', 'news'])
  t.strictSame(entitle(identity({ channels: [] }), ['node_17', 'lobby'], open).channels, ['node_17', 'lobby'])
  t.equal(entitle(reader, ['lobby_2'], open).refused, 'lobby_2')
})

t.test('what was added is there whatever is asked for, and may be asked for', async t => {
  const more = { added: ['extra', 'news'] }
  t.strictSame(entitle(reader, [], [], more).channels, ['news', 'user_5', 'extra'])
  t.strictSame(entitle(reader, ['public_a'], [], more).channels, ['public_a', 'extra', 'news'])
  t.strictSame(entitle(reader, ['extra'], [], more), { channels: ['extra', 'news'], refused: undefined })
  const { own } = entitleBy(reader, { asked: [], open: [], isHidden: () => false, ...more })
  t.equal(own, 2, 'and does not count against the limit of what a subscriber asks for')
})

t.test(
  'what is hidden is gone from the identity, by name and by prefix, but not from what is open',
  async t => {
    const more = { isHidden: (channel: string) => ['news', 'public_a', 'node_17'].includes(channel) }
    t.strictSame(entitle(reader, [], [], more).channels, ['user_5'])
    t.equal(entitle(reader, ['news'], [], more).refused, 'news')
    t.strictSame(entitle(reader, ['public_a', 'public_b'], [], more), {
      channels: ['public_b'],
      refused: 'public_a',
    })
    t.strictSame(entitle(reader, ['node_17'], ['node_*'], more).channels, ['node_17'])
    t.strictSame(entitle(reader, [], [], { ...more, added: ['news'] }).channels, ['news', 'user_5'])
  },
)

t.test('a token is known by its sha256', async t => {
  t.equal(hashToken('abc'), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
  t.not(hashToken('abc'), hashToken('abc '))
  t.equal(hashToken('').length, 43)
})
