import type { Api } from './api.js'
import { readObject } from './json.js'
import type { PageOptions } from './page-options.js'

/** What a page declares: the options that are not functions, and where the server is. */
interface Declaration extends PageOptions {
  /** As for `connect`. Default: where the script came from. */
  readonly url?: string
}

/**
 * Connects as the page declares it, by `<script type="application/json" id="downpipe">` or by an attribute of a script tag. Looks at
 * once, for the sake of scripts that follow, and when the document is read and complete: it may stand below the script.
 *
 * Whatever merges the page's scripts into one file may move this one, rename it or drop its tag, so nothing here asks which tag is
 * running.
 */
export function startDeclared(api: Api): void {
  const look = () => {
    // There are two copies of the script, or it was found before.
    if (api.push) return
    const json = find('#downpipe')
    const tag = find('[data-downpipe-connect]')
    // The attribute may be empty. Nothing reads as null, and so does `null`, which declares nothing.
    const text = json ? json.text : tag && (tag.dataset.downpipeConnect || '{}')
    const declared = readObject<Declaration>(text)
    if (declared) {
      const source = tag || find('[src*=downpipe\\.js]')
      const folder = source ? source.src.replace(/[^/]*(\?.*)?$/, '') : ''
      api.push = api.connect(declared.url || folder, declared)
      if (api.html) api.html(api.push)
      // Before that the parser may be in the middle of it.
    } else if (declared !== null && document.readyState === 'complete') {
      // biome-ignore lint/suspicious/noConsole: for the page's author
      console.error('Downpipe: not JSON')
    }
  }
  look()
  // Comes before DOMContentLoaded, and once more.
  document.addEventListener('readystatechange', look)
}

function find(which: string): HTMLScriptElement | null {
  return document.querySelector(`script${which}`)
}
