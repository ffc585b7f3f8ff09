import type { Api } from './api.js'
import { connect } from './connect.js'
import { startDeclared } from './declaration.js'
import { isDebugging } from './note.js'

const api: Api = window.Downpipe || { connect }
api.connect = connect
// For downpipe-html.js, too.
api.debug = isDebugging()
window.Downpipe = api
startDeclared(api)
