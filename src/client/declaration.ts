import type { Api } from './api.js'
import { readObject } from './json.js'
import type { PageOptions } from './page-options.js'

/** What a page declares: the options that are not functions, and where the server is. */
interface Declaration extends PageOptions {
  /** As for `connect`. Default: where the script came from. */
  readonly url?: string
}

/**
 * Connects as the page declares it, by `<script type="application/json" id="downpipe">` or by attributes of a script tag. Looks at
 * once, for the sake of scripts that follow, and when the document is complete: it may stand below the script.
 *
 * Whatever merges the page's scripts into one file may move this one, rename it or drop its tag, so nothing here asks which tag is
 * running.
 */
export function startDeclared(api: Api): void {
  const look = () => {
    // There are two copies of the script.
    if (api.push) return
    const json = find('#downpipe')
    const tag = find('[data-downpipe-connect]')
    const declared = json ? readObject<Declaration>(json.text) : tag && readAttributes(tag.dataset)
    if (declared) {
      const source = tag || find('[src*="downpipe.js"]')
      const folder = source ? source.src.replace(/[^/]*(\?.*)?$/, '') : ''
      api.push = api.connect(declared.url || folder, declared)
      if (api.html) api.html(api.push)
      // Else the parser may be in the middle of it.
    } else if (json && !isLoading()) {
      // biome-ignore lint/suspicious/noConsole: for the page's author
      console.error('Downpipe: script#downpipe is not a JSON object')
    }
  }
  look()
  if (isLoading()) document.addEventListener('DOMContentLoaded', look)
}

function isLoading(): boolean {
  return document.readyState === 'loading'
}

function find(which: string): HTMLScriptElement | null {
  return document.querySelector(`script${which}`)
}

function readAttributes(data: DOMStringMap): Declaration {
  const declared: Declaration & Record<string, unknown> = {}
  for (const name in data) {
    const value = data[name] || ''
    // All else that is no text works as text, too.
    declared[name] = /^(channels|grants)$/.test(name) ? value.match(/\S+/g) : value !== 'false' && value
  }
  return declared
}
