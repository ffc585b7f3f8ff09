import t from 'tap'
import { type Entitling, entitle, hashToken } from '../../src/auth/identity.js'
import { identity } from '../helpers/verifier.js'

const reader = identity({ channels: ['news', 'user_5', 'public_*', 'news'] })

function ask(asked: readonly string[], open: readonly string[]): Entitling {
  return { asked, open, added: [], lapsed: [], isHidden: () => false }
}

t.test('without asking, a subscriber listens on what its identity names in full, each once', async t => {
  t.strictSame(entitle(reader, ask([], [])), { channels: ['news', 'user_5'], refused: undefined })
  t.strictSame(entitle(identity({ channels: ['*'] }), ask([], ['*'])), { channels: [], refused: undefined })
  t.strictSame(entitle(identity({ channels: [] }), ask([], ['open'])), { channels: [], refused: undefined })
})

t.test(
  'who asks gets those that are allowed, by name or by prefix, in the order asked for, each once',
  async t => {
    const asked = ['public_b', 'news', 'public_a', 'public_b']
    t.strictSame(entitle(reader, ask(asked, [])), {
      channels: ['public_b', 'news', 'public_a'],
      refused: undefined,
    })
    t.strictSame(entitle(reader, ask(['public_'], [])).channels, ['public_'])
    t.strictSame(entitle(identity({ channels: ['*'] }), ask(['anything'], [])).channels, ['anything'])
  },
)

t.test('the first that is not allowed is named; the others are granted', async t => {
  t.strictSame(entitle(reader, ask(['news', 'secret', 'public_a', 'private'], [])), {
    channels: ['news', 'public_a'],
    refused: 'secret',
  })
  for (const channel of ['public', 'Public_a', 'new', 'newsx', 'user_55', '__proto__', 'constructor']) {
    t.strictSame(entitle(reader, ask([channel], [])), { channels: [], refused: channel })
  }
})

t.test('a star among the names is all that the identity lists, and no name', async t => {
  t.strictSame(entitle(reader, ask(['*'], [])), { channels: ['news', 'user_5'], refused: undefined })
  t.strictSame(entitle(reader, ask(['*', 'public_a', 'news'], [])).channels, ['news', 'user_5', 'public_a'])
  t.strictSame(entitle(reader, ask(['*', 'secret'], [])), { channels: ['news', 'user_5'], refused: 'secret' })
  t.strictSame(entitle(identity({ channels: ['*'] }), ask(['*'], ['*'])), {
    channels: [],
    refused: undefined,
  })
})

t.test('everybody may ask for what is open, by name or by prefix', async t => {
  const open = ['lobby', 'node_*']
  t.strictSame(entitle(reader, ask(['lobby', 'node_17', 'news'], open)).channels, [
    'lobby',
    'node_17',
    'news',
  ])
  t.strictSame(entitle(identity({ channels: [] }), ask(['node_17', 'lobby'], open)).channels, [
    'node_17',
    'lobby',
  ])
  t.equal(entitle(reader, ask(['lobby_2'], open)).refused, 'lobby_2')
})

t.test('what was added is there whatever is asked for, behind it and each once', async t => {
  const more = { ...ask([], []), added: ['extra', 'news', 'extra'] }
  t.strictSame(entitle(reader, more).channels, ['news', 'user_5', 'extra'])
  t.strictSame(entitle(reader, { ...more, asked: ['public_1'] }).channels, ['public_1', 'extra', 'news'])
  t.strictSame(entitle(identity({ channels: [] }), { ...more, asked: ['extra'] }), {
    channels: ['extra', 'news'],
    refused: undefined,
  })
})

t.test('what has lapsed is left out, and what never was is refused', async t => {
  const lapsed = ['old', 'gone_*']
  t.strictSame(entitle(reader, { ...ask(['old', 'gone_1', 'news'], []), lapsed }), {
    channels: ['news'],
    refused: undefined,
  })
  t.strictSame(entitle(reader, { ...ask(['gone', 'older'], []), lapsed }), { channels: [], refused: 'gone' })
  t.strictSame(entitle(reader, { ...ask([], []), lapsed: ['news'] }).channels, ['news', 'user_5'])
})

t.test(
  'what is hidden is gone from the identity, by name and by prefix, but not from what is open or added',
  async t => {
    const isHidden = (channel: string) => ['news', 'public_a', 'node_17'].includes(channel)
    const hidden = (asked: readonly string[], open: readonly string[] = []) => ({
      ...ask(asked, open),
      isHidden,
    })
    t.strictSame(entitle(reader, hidden([])).channels, ['user_5'])
    t.equal(entitle(reader, hidden(['news'])).refused, 'news')
    t.strictSame(entitle(reader, hidden(['public_a', 'public_b'])), {
      channels: ['public_b'],
      refused: 'public_a',
    })
    t.strictSame(entitle(reader, hidden(['node_17'], ['node_*'])).channels, ['node_17'])
    t.strictSame(entitle(reader, { ...hidden([]), added: ['news'] }).channels, ['news', 'user_5'])
  },
)

t.test('a token is known by its sha256', async t => {
  t.equal(hashToken('abc'), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
  t.not(hashToken('abc'), hashToken('abc '))
  t.equal(hashToken('').length, 43)
})
