import type { Api } from './api.js'
import { readObject } from './json.js'
import type { PageOptions } from './page-options.js'

// How often to look while the document is loading, in ms.
const LOOK_MS = 20

/** What a page declares: the options that are not functions, and where the server is. */
interface Declaration extends PageOptions {
  /** As for `connect`. Default: where the script came from. */
  readonly url?: string
}

/**
 * Connects as the page declares it, by `<script type="application/json" id="downpipe">` or by attributes of a script tag. Looks at
 * once, for the sake of scripts that follow, and until the document is complete: it may stand below the script.
 *
 * Whatever merges the page's scripts into one file may move this one, rename it or drop its tag, so nothing here asks which tag is
 * running.
 */
export function startDeclared(api: Api): void {
  // There may be two copies of the script.
  if (api.push) return
  const json = find('#downpipe')
  const tag = find('[data-downpipe-connect]')
  const declared = json ? readObject<Declaration>(json.text) : tag && readAttributes(tag.dataset)
  if (declared) {
    const source = tag || find('[src*="downpipe.js"]')
    const folder = source ? source.src.replace(/[^/]*(\?.*)?$/, '') : ''
    api.push = api.connect(declared.url || folder, declared)
    if (api.html) api.html(api.push)
  } else if (document.readyState === 'loading') {
    // The parser may be in the middle of it.
    setTimeout(startDeclared, LOOK_MS, api)
  } else if (json) {
    // biome-ignore lint/suspicious/noConsole: for the page's author
    console.error('#downpipe is not JSON')
  }
}

function find(which: string): HTMLScriptElement | null {
  return document.querySelector(`script${which}`)
}

function readAttributes(data: DOMStringMap): Declaration {
  const declared: Declaration & Record<string, unknown> = {}
  for (const name in data) {
    const value = data[name] || ''
    // All else that is no text works as text, too.
    declared[name] = /channels|grants/.test(name) ? value.match(/\S+/g) : value !== 'false' && value
  }
  return declared
}
