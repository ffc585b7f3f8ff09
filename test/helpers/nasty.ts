/** Names, of channels, users and keys, that nobody should give and somebody will. At most 200 characters. */
export const nastyNames: readonly string[] = [
  '',
  ' leading and trailing ',
  '\n',
  '\r',
  '\r\n',
  'two\nlines',
  'an event ends here\n\nevent: close\ndata: {}\n\n',
  'a field begins here\rid: 9-9\r',
  ': comment',
  'data: field',
  '\0',
  '\u0001\u001b\u007f\u0085',
  '\u2028\u2029',
  '\ufeffa byte order mark',
  'emoji 👩‍👩‍👧‍👦 and Ünïcödé',
  '\ud83d',
  '\ude00 a pair turned round \ud83d',
  '"quotes\\and\\\\backslashes"',
  '</script><!-- ',
  '__proto__',
  'constructor',
  '😀'.repeat(200),
]

/** Texts that have broken senders of events elsewhere; every layer must bring them through unchanged. */
export const nastyTexts: readonly string[] = [...nastyNames, 'x'.repeat(1_048_576), '😀'.repeat(1_000)]

/** The same as the `data` of messages, and values that are easily taken for none. */
export const nastyData: readonly unknown[] = [
  ...nastyTexts,
  null,
  false,
  0,
  -1e-300,
  [],
  {},
  [null],
  JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":1},"":0,"\\n":"\\r"}'),
  { deep: JSON.parse('['.repeat(500) + ']'.repeat(500)) },
]
