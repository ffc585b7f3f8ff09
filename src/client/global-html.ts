import type { Api } from './api.js'
import { html } from './html.js'

// Whichever script comes first makes the object, and whichever comes last begins.
const api: Partial<Api> = window.Downpipe || {}
window.Downpipe = api
if (!api.html) {
  api.html = html
  if (api.push) html(api.push)
}
