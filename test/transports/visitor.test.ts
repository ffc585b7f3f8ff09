import Fastify from 'fastify'
import t from 'tap'
import { trustOf, visitorOf } from '../../src/transports/visitor.js'

const trusted: readonly (boolean | readonly string[])[] = [
  false,
  true,
  [],
  ['loopback'],
  ['loopback', '10.0.0.0/8', '2001:db8::/32'],
  ['192.0.2.1'],
]
const peers = ['127.0.0.1', '::1', '::ffff:10.0.0.1', '192.0.2.1', '198.51.100.1']
const lists = [
  undefined,
  '',
  ' ',
  ',',
  '192.0.2.7',
  ' 192.0.2.7\t',
  '192.0.2.7,10.0.0.1',
  '192.0.2.7 , , 10.0.0.1,127.0.0.1 ,',
  '2001:db8::7, 2001:db8:1::1',
  'no address, 127.0.0.1',
  'with a blank inside',
]
const hosts = [undefined, '', ' ', 'a.example', 'a.example, b.example:81 ', ',']

t.test('address and host are found as Fastify finds them', async t => {
  for (const trustProxy of trusted) {
    const app = Fastify({ trustProxy: typeof trustProxy === 'boolean' ? trustProxy : [...trustProxy] })
    app.get('/', async ({ ip, host }) => ({ ip, host }))
    t.teardown(() => app.close())
    const trust = trustOf(trustProxy)
    for (const remoteAddress of peers) {
      for (const [index, list] of lists.entries()) {
        const named = hosts[index % hosts.length]
        const headers = {
          host: 'own.example:80',
          ...(list !== undefined && { 'x-forwarded-for': list }),
          ...(named !== undefined && { 'x-forwarded-host': named }),
        }
        const found = visitorOf(remoteAddress, headers, trust)
        const { body } = await app.inject({ url: '/', remoteAddress, headers })
        t.strictSame(found, JSON.parse(body), `${trustProxy} ${remoteAddress} ${JSON.stringify(headers)}`)
      }
    }
  }
})

t.test('a peer without an address is believed only where everybody is', async t => {
  const headers = { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-host': 'a.example' }
  t.strictSame(visitorOf(undefined, headers, trustOf(true)), { ip: '192.0.2.7', host: 'a.example' })
  t.equal(visitorOf(undefined, headers, trustOf(['loopback'])), undefined)
})
