import { connect } from './connect.js'

declare global {
  interface Window {
    /** What the classic script defines; the same as the ES module's exports. */
    Downpipe: { readonly connect: typeof connect }
  }
}

window.Downpipe = { connect }
