import t from 'tap'
import { AddressLimit, addressKey } from '../../src/auth/address-limit.js'
import { FakeClock } from '../helpers/clock.js'

t.test('an IPv4 address is itself, also where it is written as an IPv6 one', async t => {
  t.equal(addressKey('192.0.2.1'), '192.0.2.1')
  t.equal(addressKey('::ffff:192.0.2.1'), '192.0.2.1')
  t.equal(addressKey('::FFFF:192.0.2.1'), '192.0.2.1')
  t.equal(addressKey('::ffff:c000:201'), '192.0.2.1')
  t.equal(addressKey('0:0:0:0:0:ffff:c000:0201'), '192.0.2.1')
  t.equal(addressKey('::ffff:c000:201%eth0'), '192.0.2.1')
  t.not(addressKey('::ffff:c000:202'), '192.0.2.1')
})

t.test('an IPv6 address is its /64, however it is written', async t => {
  const same = [
    '2001:db8:1:2::',
    '2001:db8:1:2::1',
    '2001:0DB8:0001:0002:ffff:ffff:ffff:ffff',
    '2001:db8:1:2:3::192.0.2.1',
    '2001:db8:1:2::1%eth0',
  ]
  for (const ip of same) t.equal(addressKey(ip), '2001:db8:1:2', ip)
  const others = [
    '2001:db8:1:3::1',
    '2001:db8:1::2',
    '2001:db8::1:2:0:0:0:1',
    '2001:db8:1:2:3:4::',
    '::1',
    '::',
  ]
  t.equal(new Set(others.map(addressKey)).size, 5)
  t.equal(addressKey('2001:db8:1:2:3:4::'), '2001:db8:1:2')
  t.equal(addressKey('2001:db8::1'), '2001:db8:0:0')
  t.equal(addressKey('1::2:3:4:5:6:7'), '1:0:2:3')
  t.equal(addressKey('::2:3:4:5:6:7:8'), '0:2:3:4')
})

t.test('what is no address is itself', async t => {
  for (const text of ['', 'unknown', '_hidden', '192.0.2', '1.2.3.4:5', 'a:b:c'])
    t.equal(addressKey(text), text)
})

/** How many of so many an address gets. */
function taken(limit: AddressLimit, count: number, ip = '192.0.2.1'): number {
  return Array.from({ length: count }, () => limit.take(ip)).filter(Boolean).length
}

t.test('an address has so many at once, then so many a second', async t => {
  const clock = new FakeClock()
  const limit = new AddressLimit({ clock, rate: 10, burst: 25 })
  t.equal(taken(limit, 100), 25)
  clock.advance(99)
  t.equal(taken(limit, 100), 0)
  clock.advance(1)
  t.equal(taken(limit, 100), 1)
  clock.advance(1_000)
  t.equal(taken(limit, 100), 10)
  clock.advance(3_600_000)
  t.equal(taken(limit, 100), 25, 'never more than at once')
})

t.test('being turned away costs nothing: who goes on asking still gets the rate', async t => {
  const clock = new FakeClock()
  const limit = new AddressLimit({ clock, rate: 10, burst: 1 })
  let count = 0
  for (let ms = 0; ms < 10_000; ms += 10) {
    if (limit.take('192.0.2.1')) count += 1
    clock.advance(10)
  }
  t.ok(count >= 99 && count <= 101, `${count} in 10 s`)
})

t.test('addresses are apart; those of one IPv6 customer are one', async t => {
  const limit = new AddressLimit({ clock: new FakeClock(), rate: 1, burst: 2 })
  t.equal(taken(limit, 5, '192.0.2.1'), 2)
  t.equal(taken(limit, 5, '192.0.2.2'), 2)
  t.equal(taken(limit, 1, '2001:db8::1') + taken(limit, 1, '2001:db8::2') + taken(limit, 1, '2001:db8::3'), 2)
})

t.test('a clock that is set does not change it', async t => {
  const clock = new FakeClock()
  const limit = new AddressLimit({ clock, rate: 10, burst: 5 })
  t.equal(taken(limit, 100), 5)
  clock.jump(-3_600_000)
  clock.advance(100)
  t.equal(taken(limit, 100), 1)
  clock.jump(7_200_000)
  t.equal(taken(limit, 100), 0)
})

t.test('a rate of 0 turns it off', async t => {
  const limit = new AddressLimit({ clock: new FakeClock(), rate: 0, burst: 1 })
  t.equal(taken(limit, 10_000), 10_000)
})
