import t from 'tap'

t.test('ok', async t => {
  t.equal(1, 1)
})
