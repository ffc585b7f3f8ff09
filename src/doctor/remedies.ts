import type { Answer } from '../remote/ask.js'

/** Programs whose configuration we know what to change in. */
export const proxies = ['nginx', 'Apache', 'Varnish', 'Caddy'] as const

/** One of them. */
export type ProxyName = (typeof proxies)[number]

interface Remedy {
  /** What it means for the pages. */
  readonly means: string
  /** Which line to change. */
  readonly change: Readonly<Record<ProxyName, string>>
}

/** What a proxy can do to streams and polls, and the line of each that ends it. */
export const remedies = {
  buffered: {
    means:
      'something between holds the stream back, until a buffer is full or for good: pages get messages late or never',
    change: {
      nginx:
        'in the location of Downpipe: proxy_buffering off; and no proxy_ignore_headers X-Accel-Buffering (by itself, nginx obeys that header)',
      Apache:
        'flushpackets=on at the end of the ProxyPass line; and no SetOutputFilter BUFFER (mod_buffer) for it',
      Varnish:
        'in vcl_recv: if (req.url ~ "/v1/stream") { return (pipe); } and no set beresp.do_stream = false; in vcl_backend_response',
      Caddy: 'in reverse_proxy: flush_interval -1, and no response_buffers',
    },
  },
  cut: {
    means:
      'something between ends quiet connections before a sign of life comes: every page reconnects over and over',
    change: {
      nginx:
        'in the location of Downpipe: proxy_read_timeout 1h; (it must be longer than --heartbeat of Downpipe)',
      Apache: 'timeout=3600 at the end of the ProxyPass line, or ProxyTimeout 3600 (and no shorter TimeOut)',
      Varnish:
        'in the backend: .between_bytes_timeout = 3600s; for pipe: -p pipe_timeout=3600, and for pass: -p idle_send_timeout=3600',
      Caddy: 'no read_timeout in reverse_proxy { transport http }, and no write in servers { timeouts }',
    },
  },
  pollCut: {
    means:
      'something between gives up polls that wait: browsers that cannot stream get errors instead of messages',
    change: {
      nginx: 'in the location of Downpipe: proxy_read_timeout 1m; (longer than --poll-wait of Downpipe)',
      Apache: 'timeout=60 at the end of the ProxyPass line, or ProxyTimeout 60',
      Varnish: 'in the backend: .first_byte_timeout = 60s;',
      Caddy: 'no response_header_timeout or read_timeout below 1m in reverse_proxy { transport http }',
    },
  },
  compressed: {
    means:
      'something between compresses the stream: messages wait in the compressor, and every connection costs its memory',
    change: {
      nginx:
        'no text/event-stream and no * in gzip_types (or brotli_types); or gzip off; in the location of Downpipe',
      Apache:
        'SetEnvIf Request_URI "/v1/stream" no-gzip no-brotli; or no text/event-stream in AddOutputFilterByType DEFLATE',
      Varnish: 'in vcl_backend_response: if (bereq.url ~ "/v1/stream") { set beresp.do_gzip = false; }',
      Caddy: '@plain not path */v1/stream and encode @plain gzip, in place of encode gzip',
    },
  },
  contentType: {
    means: 'browsers only take text/event-stream for a stream: an EventSource gives up at once',
    change: {
      nginx:
        'no proxy_hide_header Content-Type, add_header Content-Type or proxy_intercept_errors in the location of Downpipe',
      Apache: 'no Header set Content-Type, ForceType or ProxyErrorOverride for Downpipe',
      Varnish: 'no set resp.http.Content-Type in vcl_deliver for Downpipe',
      Caddy: 'no header Content-Type or header_down Content-Type for Downpipe',
    },
  },
  cacheControl: {
    means: 'without no-store and no-transform a cache may keep answers, and proxies may compress them',
    change: {
      nginx:
        'no expires, add_header Cache-Control or proxy_hide_header Cache-Control in the location of Downpipe',
      Apache: 'no ExpiresActive On and no Header set Cache-Control for Downpipe',
      Varnish: 'in vcl_recv: if (req.url ~ "/v1/") { return (pass); } and no set resp.http.Cache-Control',
      Caddy: 'no header Cache-Control and no header_down Cache-Control for Downpipe',
    },
  },
  resume: {
    means:
      'a page whose stream was cut does not say where it was: it loses what was sent in between, in silence',
    change: {
      nginx:
        'no proxy_set_header Last-Event-ID and no proxy_pass_request_headers off; in the location of Downpipe',
      Apache: 'no RequestHeader unset Last-Event-ID for Downpipe',
      Varnish: 'no unset req.http.Last-Event-ID; in vcl_recv',
      Caddy: 'no header_up -Last-Event-ID in reverse_proxy',
    },
  },
  authorization: {
    means: 'the Authorization header does not reach Downpipe: the CMS cannot publish from here',
    change: {
      nginx:
        'no proxy_set_header Authorization and no proxy_pass_request_headers off; in the location of Downpipe',
      Apache: 'no RequestHeader unset Authorization for Downpipe',
      Varnish: 'no unset req.http.Authorization; in vcl_recv',
      Caddy: 'no header_up -Authorization in reverse_proxy, and no basic_auth in front of it',
    },
  },
  cors: {
    means: 'browsers keep the answers from pages of this origin',
    change: {
      nginx:
        'no add_header Access-Control-…, proxy_hide_header Access-Control-… or limit_except in the location of Downpipe: it answers by itself',
      Apache:
        'no Header set Access-Control-… and no <Limit> that refuses OPTIONS: Downpipe answers by itself',
      Varnish: 'no set or unset resp.http.Access-Control-… in vcl_deliver: Downpipe answers by itself',
      Caddy: 'no header Access-Control-… and no respond to OPTIONS: Downpipe answers by itself',
    },
  },
  upstream: {
    means: 'what is in front of Downpipe does not reach it: it does not run, or listens somewhere else',
    change: {
      nginx: 'proxy_pass http://127.0.0.1:8080/; with the address of --listen',
      Apache: 'ProxyPass "/push/" "http://127.0.0.1:8080/" with the address of --listen',
      Varnish: 'backend { .host = "127.0.0.1"; .port = "8080"; } with the address of --listen',
      Caddy: 'reverse_proxy 127.0.0.1:8080 with the address of --listen',
    },
  },
  prefix: {
    means:
      'requests for this address do not come to Downpipe as /v1/…: the prefix is not stripped, or nothing leads to it',
    change: {
      nginx:
        'location /push/ { proxy_pass http://127.0.0.1:8080/; } (the slash at the end strips the prefix)',
      Apache:
        'ProxyPass "/push/" "http://127.0.0.1:8080/" (both with a slash at the end), above other ProxyPass lines',
      Varnish: 'in vcl_recv: set req.url = regsub(req.url, "^/push", ""); set req.backend_hint = downpipe;',
      Caddy: 'handle_path /push/* { reverse_proxy 127.0.0.1:8080 }',
    },
  },
  http1: {
    means:
      'over HTTP/1.1 a browser has six connections to a host, and each open tab keeps one: the seventh tab gets nothing',
    change: {
      nginx: 'http2 on; in the server (before 1.25.1: listen 443 ssl http2;)',
      Apache: 'Protocols h2 http/1.1 (with mod_http2)',
      Varnish:
        '-p feature=+http2, and h2 in the ALPN of what ends TLS in front of it (hitch: alpn-protos = "h2, http/1.1")',
      Caddy: 'h2 in protocols in servers { } (it is there by default)',
    },
  },
  noKeepAlive: {
    means: 'each poll costs a new connection',
    change: {
      nginx: 'keepalive_timeout 75s; (not 0)',
      Apache: 'KeepAlive On',
      Varnish: '-p timeout_idle=75',
      Caddy: 'no idle timeout below 1m in servers { timeouts }, and no header Connection close',
    },
  },
} as const satisfies Record<string, Remedy>

/** A name of the table. */
export type Ailment = keyof typeof remedies

/** Which of them the answer has passed, as far as it says so. */
export function recogniseProxies({ header }: Pick<Answer, 'header'>): readonly ProxyName[] {
  const words = `${header('server') ?? ''} ${header('via') ?? ''}`.toLowerCase()
  return proxies.filter(
    proxy =>
      words.includes(proxy.toLowerCase()) ||
      (proxy === 'Varnish' && header('x-varnish') !== undefined) ||
      (proxy === 'nginx' && words.includes('openresty')),
  )
}
