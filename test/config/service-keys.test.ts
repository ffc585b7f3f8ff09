import t from 'tap'
import { readKeyLine } from '../../src/config/service-key.js'
import { defaults } from '../../src/config.js'
import { key, load, otherKey, problems } from '../helpers/config.js'

t.test('behind a key in a file stands what it is restricted to', async t => {
  t.equal(readKeyLine(key), key)
  t.equal(readKeyLine(`  ${key}\r`), key)
  t.strictSame(readKeyLine(`${key} operations=publish,read`), { key, operations: ['publish', 'read'] })
  t.strictSame(readKeyLine(`${key}\tchannels=log_*,Straße,a=b`), {
    key,
    channels: ['log_*', 'Straße', 'a=b'],
  })
  t.strictSame(readKeyLine(`${key}  channels=*  operations=list`), {
    key,
    operations: ['list'],
    channels: ['*'],
  })
  t.equal(readKeyLine('a-key==with=equals='), 'a-key==with=equals=')
  for (const rest of [
    'publish',
    'operations',
    'operations=',
    'operations=publish,',
    'operations=Publish',
    'operations=publish,users',
    'operations=toString',
    'operations=publish operations=read',
    'channels=',
    'channels=a,,b',
    'channels=a*b',
    'channels=**',
    'channel=a',
    'channels= a',
    'channels=a, b',
    `channels=a ${otherKey}`,
  ]) {
    t.equal(readKeyLine(`${key} ${rest}`), undefined, rest)
  }
  t.equal(readKeyLine('too-short channels=a'), undefined)
  t.equal(readKeyLine('channels=a'), undefined)
})

t.test('in the JSON file a list holds keys, lines and objects', async t => {
  const keys = (serviceKey: unknown) =>
    load({ argv: ['--config', 'c'], files: { c: { serviceKey } } }).serviceKeys
  t.strictSame(keys([key, `${otherKey} operations=publish`]), [
    key,
    { key: otherKey, operations: ['publish'] },
  ])
  t.strictSame(keys([{ key, channels: ['with space', 'with,comma', 'log_*'] }, otherKey]), [
    { key, channels: ['with space', 'with,comma', 'log_*'] },
    otherKey,
  ])
  t.strictSame(keys({ key, operations: ['list'] }), [{ key, operations: ['list'] }])
  t.strictSame(keys({ key }), [key])
  t.strictSame(keys(`${key},${otherKey}`), [key, otherKey])
})

t.test('a key that is not of the form is a problem, and is not shown', async t => {
  const found = (serviceKey: unknown) =>
    problems({ argv: ['--config', 'c'], files: { c: { serviceKey } } }, load)
  for (const item of [
    null,
    {},
    { key: 'short' },
    { key: [key] },
    { key, operations: 'publish' },
    { key, operations: [] },
    { key, operations: ['fly'] },
    { key, operations: [5] },
    { key, channels: [] },
    { key, channels: ['a*b'] },
    { key, channel: ['a'] },
    `${key} fly`,
  ]) {
    const [problem = '', ...others] = found([otherKey, item])
    t.match(
      problem,
      /^serviceKey in c: value 2 is not allowed; it must be a key of 16 .*operations.*channels/,
    )
    t.strictSame(others, [])
    t.notMatch(problem, key)
  }
  const files = { keys: `${key}\n${otherKey} channels=\n` }
  const [problem = ''] = problems({ argv: ['--service-key-file', 'keys'], files }, load)
  t.match(problem, /^--service-key-file: line 2 of the file is not allowed; it must be a key of .*channels=/)
  t.notMatch(problem, otherKey)
})

t.test('on the command line and in the environment there are plain keys only', async t => {
  const line = `${key} operations=publish`
  t.match(problems({ argv: ['--service-key', line] }, load), [
    /^--service-key: value 1 is not allowed; .*spaces/,
  ])
  t.match(problems({ env: { DOWNPIPE_SERVICE_KEY: line } }, load), [/^DOWNPIPE_SERVICE_KEY: value 1 is not/])
})

t.test('one key cannot be restricted in two ways', async t => {
  const twice = 'one service key is given twice, restricted in different ways'
  const found = (file: string) =>
    problems({ argv: [`--service-key=${key}`, '--service-key-file=f'], files: { f: file } }, load)
  t.strictSame(found(`${key} channels=a`), [twice])
  t.strictSame(found(`${otherKey} channels=a\n${otherKey} channels=b`), [twice])
  t.strictSame(found(`${otherKey} channels=a\n${otherKey} channels=a`), [])
  t.strictSame(found(key), [])
})

t.test('a channel of a key fits into a channel name', async t => {
  const found = (channel: string) =>
    problems(
      { argv: ['--service-key-file=f', '--max-channel-bytes=4'], files: { f: `${key} channels=${channel}` } },
      load,
    )
  t.strictSame(found('abcd*'), [])
  t.strictSame(found('äöü'), ['a service key has a channel that is longer than --max-channel-bytes, 4 bytes'])
})

t.test('an auth URL needs a key that may be shown to it', async t => {
  const found = (file: string) =>
    problems({ argv: ['--auth-url=http://cms.example/', '--service-key-file=f'], files: { f: file } }, load)
  t.strictSame(found(`${key} operations=publish`), [
    '--auth-url: needs a service key that is not restricted, because the CMS is shown it',
  ])
  t.strictSame(found(`${key} operations=publish\n${otherKey}`), [])
})

t.test('--dev makes a key where none may do everything', async t => {
  const restricted = { key, operations: ['publish'] }
  const files = { f: `${key} operations=publish` }
  t.strictSame(load({ argv: ['--dev', '--service-key-file=f'], files }).serviceKeys, [
    restricted,
    'made-at-random-0123',
  ])
})

t.test('restrictions are frozen like everything else', async t => {
  const given = { key, operations: ['publish'] } as const
  const [held] = defaults({ serviceKeys: [given] }).serviceKeys
  t.ok(Object.isFrozen(held))
  t.notOk(Object.isFrozen(given))
})
