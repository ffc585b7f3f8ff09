import t from 'tap'
import { channelPattern, cookieName, filePath, type Kind } from '../../src/config/kind.js'
import { address, addressRange, formatAddress, httpUrl, origin } from '../../src/config/network.js'
import { many, one } from '../../src/config/option.js'
import { quote } from '../../src/config/problem.js'
import { duration, formatSize, integer, size } from '../../src/config/quantity.js'
import { serviceKey } from '../../src/config/service-key.js'
import { options } from '../../src/config.js'

/** Checks that each text is read as its value; undefined stands for "not allowed". */
function reads<T>(name: string, kind: Kind<T>, values: readonly (readonly [string, T | undefined])[]): void {
  t.test(name, async t => {
    for (const [text, value] of values) t.strictSame(kind.parse(text), value, JSON.stringify(text))
  })
}

function keeps(
  name: string,
  kind: Kind<unknown>,
  texts: { good: readonly string[]; bad: readonly string[] },
) {
  const good = texts.good.map(text => [text, text] as const)
  const bad = texts.bad.map(text => [text, undefined] as const)
  reads(name, kind, [...good, ...bad])
}

reads('a duration has a unit, or is in seconds', duration({ min: '10ms', max: '168h' }), [
  ['250ms', 250],
  ['25s', 25_000],
  ['25', 25_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['168h', 604_800_000],
  ['0.5', 500],
  ['1.5h', 5_400_000],
  ['1.1s', 1100],
  ['25 s', 25_000],
  ['10ms', 10],
  ['9ms', undefined],
  ['168.1h', undefined],
  ['0', undefined],
  ['10.5ms', undefined],
  ['0.0001', undefined],
  ['-1s', undefined],
  ['1d', undefined],
  ['1e3', undefined],
  ['s', undefined],
  ['', undefined],
  ['1s 5m', undefined],
  ['∞', undefined],
  ['NaN', undefined],
])

reads('0 is allowed where it means something', duration({ min: '1s', max: '1h', zero: 'off' }), [
  ['0', 0],
  ['0s', 0],
  ['0h', 0],
  ['500ms', undefined],
])

reads('a size has steps of 1024, or is in bytes', size({ min: '1', max: '2GB' }), [
  ['500', 500],
  ['500B', 500],
  ['64KB', 65_536],
  ['64kb', 65_536],
  ['1 MB', 1_048_576],
  ['1.5MB', 1_572_864],
  ['2GB', 2_147_483_648],
  ['2049MB', undefined],
  ['0', undefined],
  ['1.5', undefined],
  ['1TB', undefined],
  ['1k', undefined],
])

reads('an integer is whole and in its range', integer({ min: '1', max: '100' }), [
  ['1', 1],
  ['100', 100],
  ['007', 7],
  ['101', undefined],
  ['1.5', undefined],
  ['1s', undefined],
  ['0x10', undefined],
  ['99999999999999999999', undefined],
])

reads('an address is a port, a host with port, or a Unix socket', address, [
  ['8080', { host: undefined, port: 8080 }],
  ['0', { host: undefined, port: 0 }],
  ['65535', { host: undefined, port: 65_535 }],
  ['localhost:8080', { host: 'localhost', port: 8080 }],
  ['WWW.example.com:80', { host: 'www.example.com', port: 80 }],
  ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
  ['[::1]:8080', { host: '::1', port: 8080 }],
  ['[FE80::1%eth0]:8080', { host: 'fe80::1%eth0', port: 8080 }],
  ['unix:/run/downpipe.sock', { path: '/run/downpipe.sock' }],
  [`unix:/${'a'.repeat(106)}`, { path: `/${'a'.repeat(106)}` }],
  [`unix:/${'a'.repeat(107)}`, undefined],
  ['unix:downpipe.sock', undefined],
  ['unix:', undefined],
  ['unix:/a\0b', undefined],
  ['65536', undefined],
  ['-1', undefined],
  ['localhost', undefined],
  ['localhost:', undefined],
  [':8080', undefined],
  ['::1:8080', undefined],
  ['[127.0.0.1]:8080', undefined],
  ['[]:8080', undefined],
  ['127.0.0.256:80', undefined],
  ['http://localhost:80', undefined],
  ['a b:80', undefined],
  ['', undefined],
])

reads('an origin is what browsers send', origin, [
  ['*', '*'],
  ['https://www.example.com', 'https://www.example.com'],
  ['https://WWW.Example.com:8443', 'https://www.example.com:8443'],
  ['HTTPS://example.com:443', 'https://example.com'],
  ['http://localhost:80', 'http://localhost'],
  ['http://[::1]:3000', 'http://[::1]:3000'],
  ['https://bücher.example', 'https://xn--bcher-kva.example'],
  ['https://example.com/', undefined],
  ['https://example.com/path', undefined],
  ['https://example.com?x', undefined],
  ['https://me@example.com', undefined],
  ['https://*.example.com', undefined],
  ['http://localhost:*', undefined],
  ['example.com', undefined],
  ['ftp://example.com', undefined],
  ['null', undefined],
  ['', undefined],
])

reads('a URL to call is http or https and holds no password', httpUrl, [
  ['https://cms.example/auth?x=1', 'https://cms.example/auth?x=1'],
  ['http://127.0.0.1:8000', 'http://127.0.0.1:8000/'],
  ['https://me:secret@cms.example/', undefined],
  ['https://me@cms.example/', undefined],
  ['https://cms.example/#part', undefined],
  ['cms.example/auth', undefined],
  ['file:///etc/passwd', undefined],
  ['https://', undefined],
  ['https://a b/', undefined],
])

keeps('a proxy is an address, a range or one of three names', addressRange, {
  good: ['127.0.0.1', '10.0.0.0/8', '::1', 'fe80::/10', 'loopback', 'linklocal', 'uniquelocal'],
  bad: [
    '10.0.0.0/0',
    '10.0.0.0/33',
    '::/129',
    '10.0.0/8',
    'localhost',
    '1',
    'true',
    '10.0.0.0/',
    '::1%lo',
    '',
  ],
})

keeps('a service key has 16 to 512 characters that a header and a list can carry', serviceKey, {
  good: ['x'.repeat(16), 'x'.repeat(512), '!"#$%&\'()*+-./:;<=>?@[~'],
  bad: [
    'x'.repeat(15),
    'x'.repeat(513),
    'with a space inside',
    'with,a,comma,inside',
    'key-with-an-umlaut-ä',
    '',
  ],
})

keeps('a channel pattern is a name, or a prefix with one trailing star', channelPattern, {
  good: ['news', 'public_*', '*', 'with space', 'grüße', '😀*', 'a/b:c'],
  bad: ['', '**', 'a*b', '*a', 'a**', 'a\nb', 'a\0', 'a\u0085', '\u007f*'],
})

keeps("a cookie's name is a token", cookieName, {
  good: ['token', '__Host-token', 'a.b~c'],
  bad: ['', 'a b', 'a=b', 'a;b', 'ä', 'x'.repeat(257)],
})

keeps('a path is anything without NUL', filePath, { good: ['a', '/a b/c'], bad: ['', 'a\0'] })

t.test('an address and a size are shown as one writes them', async t => {
  for (const text of ['8080', 'localhost:80', '[::1]:80', 'unix:/a']) {
    const value = address.parse(text)
    t.equal(value && formatAddress(value), text)
  }
  const sizes = { '0': 0, '1023': 1023, '1KB': 1024, '1025KB': 1_049_600, '1MB': 1_048_576, '2GB': 2 ** 31 }
  for (const [text, value] of Object.entries(sizes)) t.equal(formatSize(value), text)
})

t.test('a quoted value is escaped, cut off, and without what may be secret', async t => {
  t.equal(quote('a\n"b"\u001b'), '"a\\n\\"b\\"\\u001b"')
  t.equal(quote('x'.repeat(200)), `"${'x'.repeat(80)}…"`)
  t.equal(quote('https://me:pass@host/path?token=1'), '"…@host/path?…"')
})

t.test('a default that its own kind refuses does not even load', async t => {
  const kind = integer({ min: '1', max: '2' })
  t.throws(() => one(kind, { name: 'x', doc: '', default: '3' }), { message: /default of --x/ })
  t.throws(() => many(kind, { name: 'x', doc: '', default: '3' }), { message: /default of --x/ })
})

t.test('every option says what it is for, in a sentence', async t => {
  t.equal(new Set(options.map(({ name }) => name)).size, options.length)
  for (const { name, doc } of options) {
    t.match(name, /^[a-z]+(-[a-z]+)*$/)
    t.match(doc, /^\S.{20,}\.$/, name)
  }
})

t.test('no duration can exceed what a timer of Node can wait', async t => {
  for (const { name, placeholder, read } of options) {
    if (placeholder === 'DURATION') t.equal(read(['596h']).ok, false, name)
  }
})
