import t from 'tap'
import { library, php } from './php-process.js'

/** Functions that the file calls; PHP 7.2 has each of them. Who adds one looks it up first. */
const known = new Set(
  `array_column array_intersect_key array_map array_merge array_shift array_splice array_values base64_encode bin2hex
  call_user_func count end error_log fclose feof flush fread function_exists fwrite get_class hash_hmac
  ignore_user_abort implode in_array intdiv is_array is_callable is_int is_numeric is_string json_decode json_encode max
  microtime mt_rand ob_end_flush ob_get_level parse_url preg_match random_bytes rawurlencode register_shutdown_function
  restore_error_handler rtrim session_status session_write_close set_error_handler sprintf str_replace
  stream_get_meta_data stream_set_timeout stream_socket_client strlen strncmp strpos strtr substr time usleep`.split(
    /\s+/,
  ),
)

/** Called where PHP has them, never without asking. */
const optional = new Set(['hrtime', 'fastcgi_finish_request', 'litespeed_finish_request'])

/** Words before a bracket that are no functions. */
const language = new Set(
  'array catch closure elseif empty exit for foreach function if isset list return switch unset use while'.split(
    ' ',
  ),
)

/** What came after 7.2. Text and comments are out of the way already. */
const newer: Readonly<Record<string, RegExp>> = {
  'typed property (7.4)': /\b(private|protected|public|var)\s+(static\s+)?\??[\\\w|]+\s+\$\w+\s*[;=]/i,
  'constructor promotion (8.0)': /__construct\([^)]*\b(private|protected|public|readonly)\b/i,
  'arrow function (7.4)': /\bfn\s*\(/i,
  'match (8.0)': /\bmatch\s*\(/i,
  'enum (8.1)': /\benum\s+\w/i,
  'readonly (8.1)': /\breadonly\b/i,
  'null coalescing assignment (7.4)': /\?\?=/,
  'nullsafe operator (8.0)': /\?->/,
  'attribute (8.0)': /#\[/,
  'spread in an array (7.4)': /\[\s*\.\.\.|,\s*\.\.\.\$\w+\s*\]/,
  'named argument (8.0)': /[(,]\s*\w+\s*:(?!:)/,
  'type of several (8.0)': /[(,:]\s*\??[\\\w]+\s*[|&]\s*[\\\w]+(\s+\$|\s*\{)/,
  'mixed, never, static or false as type (8.0)':
    /(:\s*\??|[(,]\s*\??)(mixed|never|static|false|true)\s*(\$|\{|;)/i,
  'throw as expression (8.0)': /(\?\?|\?|:|=>|=|&&|\|\|)\s*throw\b/i,
  'catch without a variable (8.0)': /\bcatch\s*\(\s*[\\\w|\s]+\)/,
  'comma at the end of arguments (7.3)': /,\s*\)/,
  'number with underscores (7.4)': /\b\d+_\d/,
  'class of an object by name (8.0)': /\$\w+::class\b/,
  'first-class callable (8.1)': /\(\s*\.\.\.\s*\)/,
  'type of a constant (8.3)': /\bconst\s+\??[\\\w]+\s+\w+\s*=/i,
  'implicit null (deprecated in 8.4)':
    /[(,]\s*(array|string|int|float|bool|callable|\\?[A-Z]\w*)\s+\$\w+\s*=\s*null/,
}

/** The code without comments, and without what texts say. */
async function code(): Promise<string> {
  const source = `$text = '';
    foreach (token_get_all(file_get_contents($argv[1])) as $token) {
      if (!is_array($token)) $text .= $token;
      elseif ($token[0] === T_CONSTANT_ENCAPSED_STRING || $token[0] === T_ENCAPSED_AND_WHITESPACE) $text .= "''";
      elseif ($token[0] !== T_COMMENT && $token[0] !== T_DOC_COMMENT) $text .= $token[1];
      else $text .= strpos($token[1], '#[') === 0 ? $token[1] : ' ';
    }
    echo $text;`
  const { out } = await php(t, '-r', source, '--', library)
  return out
}

t.test('the PHP file is well-formed', async t => {
  t.match(await php(t, '-n', '-l', library), { code: 0 })
})

t.test('it uses nothing that came after PHP 7.2', async t => {
  // In arrays PHP has always taken a comma at the end.
  const flat = (await code()).replace(/\s+/g, ' ')
  const text = withoutArrayCommas(flat)
  for (const [name, pattern] of Object.entries(newer)) t.notMatch(text, pattern, name)
  t.ok(text.length > 5_000)
})

t.test('it calls only functions that PHP 7.2 has', async t => {
  const text = await code()
  const called = [...text.matchAll(/(?<![\w$>:\\]|function |new )\\?\b([a-z_]\w*)\s*\(/gi)].map(([, name]) =>
    String(name),
  )
  const unknown = called.filter(name => !known.has(name) && !language.has(name) && !optional.has(name))
  t.strictSame(unknown, [])
  t.ok(called.includes('stream_socket_client'))
})

t.test('these checks find what they look for', async t => {
  const samples = {
    'typed property (7.4)': 'private ?string $a;',
    'constructor promotion (8.0)': 'function __construct(private $a) {}',
    'arrow function (7.4)': 'fn ($a) => 1',
    'match (8.0)': 'match (1) {}',
    'null coalescing assignment (7.4)': '$a ??= 1',
    'nullsafe operator (8.0)': '$a?->b()',
    'named argument (8.0)': 'f(name: 1)',
    'type of several (8.0)': 'function f(int|string $a) {}',
    'mixed, never, static or false as type (8.0)': 'function f(): static {',
    'throw as expression (8.0)': '$a ?? throw new X()',
    'catch without a variable (8.0)': 'catch (\\X) {}',
    'comma at the end of arguments (7.3)': 'f($a, )',
    'number with underscores (7.4)': '1_000',
    'type of a constant (8.3)': 'const int A = 1;',
    'implicit null (deprecated in 8.4)': 'function f(string $a = null) {}',
  }
  for (const [name, sample] of Object.entries(samples)) t.match(sample, newer[name] ?? 'no such check', name)
})

function withoutArrayCommas(text: string): string {
  let result = ''
  const open: boolean[] = []
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at)
    if (char === '(') open.push(/\barray ?$/.test(result))
    const rest = text.slice(at + 1, at + 3)
    const endsArray = char === ',' && open.at(-1) === true && /^ ?\)/.test(rest)
    if (char === ')') open.pop()
    if (!endsArray) result += char
  }
  return result
}
