import { type Html, html, json } from './html.js'
import type { Session } from './sessions.js'
import { users } from './users.js'

/** For whom and how a page is made. */
export interface View {
  /** The page's own path, to which its forms lead back. */
  readonly path: string
  readonly session: Session | undefined
  /** `poll` when the address said `?transport=poll`, which every link and form carries on. Undefined: the script chooses. */
  readonly transport: 'poll' | undefined
}

/** What a page's script needs in order to follow along. */
export interface Live {
  /** Where the push service is. */
  readonly pushUrl: string
  readonly channels: readonly string[]
  /** Asked for before the page's content was read. */
  readonly since: string
  /** The page's script. */
  readonly script: 'front.js' | 'article.js'
  /** Where the script gets the page's changeable part when messages were missed. */
  readonly fragment: string
}

/** A link or form action inside the demo, with what the view carries on. */
export function link(view: View, path: string): string {
  return view.transport === 'poll' ? `${path}?transport=poll` : path
}

/** A whole page. Without `live` it is a page that does not change. */
export function layout(view: View, title: string, main: Html, live?: Live): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – The Gutter Gazette</title>
<link rel="icon" href="/demo/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/demo/style.css">
${live && scripts(view, live)}
</head>
<body>
<header>
<a class="brand" href="${link(view, '/')}">The Gutter Gazette</a>
${live && html`<p id="connection" role="status" data-state="off">Not live: that takes JavaScript</p>`}
${account(view)}
</header>
<div class="columns">
<main>
${main}
</main>
${live && behindTheScenes(view, live)}
</div>
<div id="notices" role="status"></div>
</body>
</html>
`
}

/**
 * The token is written into the page, the session's cookie never is. `defer` makes the page's script run after the
 * push service's; a module is deferred by itself.
 */
function scripts(view: View, live: Live): Html {
  const { session, transport } = view
  const { pushUrl, channels, since, fragment, script } = live
  const options = { token: session?.token, channels, since, transport }
  return html`<script type="application/json" id="settings">${json({ pushUrl, options, fragment, user: session?.user.name })}</script>
<script src="${pushUrl}/downpipe.js" defer></script>
<script src="/demo/${script}" type="module"></script>`
}

function account(view: View): Html {
  if (view.session) {
    return html`<form class="account" method="post" action="${link(view, '/logout')}">
<input type="hidden" name="next" value="${view.path}">
<span>You are <strong id="user">${view.session.user.name}</strong></span>
<button>Log out</button>
</form>`
  }
  return html`<form class="account" method="post" action="${link(view, '/login')}">
<input type="hidden" name="next" value="${view.path}">
<span>Log in as</span>
${users.map(user => html`<button name="user" value="${user.uid}">${user.name}</button>`)}
</form>`
}

function behindTheScenes(view: View, live: Live): Html {
  const other =
    view.transport === 'poll'
      ? html`<a href="${view.path}">Use the stream (SSE)</a>`
      : html`<a href="${view.path}?transport=poll">Use long-polling</a>`
  return html`<aside aria-labelledby="behind">
<h2 id="behind">Behind the scenes</h2>
<dl>
<dt>Transport</dt><dd><span id="transport">none yet</span> · ${other}</dd>
<dt>Channels</dt><dd>${live.channels.join(', ')}${view.session && ', and your own messages'}</dd>
<dt>Since</dt><dd><code>${live.since}</code></dd>
</dl>
${view.session?.user.isAdmin ? kickForm(view) : undefined}
<h3 id="arrivals">What arrives</h3>
<p class="hint">What you do on this page does not come back to it: its messages say <code>except</code> this page.</p>
<ol id="log" aria-labelledby="arrivals" tabindex="0"></ol>
</aside>`
}

function kickForm(view: View): Html {
  const others = users.filter(user => user !== view.session?.user)
  return html`<form class="kick" method="post" action="${link(view, '/kick')}" data-fetch>
<input type="hidden" name="next" value="${view.path}">
<span>Close the connections of</span>
${others.map(user => html`<button name="user" value="${user.uid}">Kick ${user.name}</button>`)}
</form>`
}
