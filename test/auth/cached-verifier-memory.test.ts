import t from 'tap'
import { hashToken } from '../../src/auth/identity.js'
import { heapBytes } from '../helpers/heap.js'
import { createCached, settled } from '../helpers/verifier.js'

/** Asks with a caller of its own and lets `answer` decide; the reference tells whether the question is still held. */
async function ask(
  { verifier }: ReturnType<typeof createCached>,
  token: string,
  answer: () => Promise<void>,
): Promise<WeakRef<object>> {
  const caller = { ip: '192.0.2.1', userAgent: token }
  const verification = verifier.verify(token, caller).catch(() => undefined)
  await answer()
  await verification
  return new WeakRef(caller)
}

t.test('a question, and the token in it, is let go once it is answered; the hash stays', async t => {
  const test = createCached()
  const { cms, verifier, outcome } = test
  const questions = [
    await ask(test, 'yes', () => cms.yes()),
    await ask(test, 'no', () => cms.no()),
    await ask(test, 'fail', () => cms.fail()),
    await ask(test, 'forgotten', async () => {
      verifier.forget(hashToken('forgotten'))
      await cms.yes()
    }),
  ]
  await settled()
  await heapBytes()
  t.strictSame(
    questions.map(question => question.deref()),
    [undefined, undefined, undefined, undefined],
  )
  cms.asked = []
  t.equal(await outcome('yes'), 'uid 5')
  t.equal(await outcome('no'), 'refused')
  t.strictSame(cms.asked, [])
})

t.test('what is held does not grow with the refused, the failed and the forgotten', async t => {
  const test = createCached({ identities: 100 })
  const { cms, verifier, outcome } = test
  const round = async (index: number) => {
    const answers = [outcome(`no ${index}`), outcome(`fail ${index}`), outcome(`forgotten ${index}`)]
    await cms.no()
    await cms.fail()
    verifier.forget(hashToken(`forgotten ${index}`))
    await cms.yes()
    await Promise.all(answers)
    cms.asked = []
  }
  for (let index = 0; index < 1_500; index++) await round(index)
  const before = await heapBytes()
  for (let index = 1_500; index < 5_000; index++) await round(index)
  const growth = (await heapBytes()) - before
  t.ok(growth < 300_000, `${growth} bytes for 10,500 tokens`)
  t.equal(verifier.size.identities, 0)
})
