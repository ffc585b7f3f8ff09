import type { Api } from './api.js'
import { connect } from './connect.js'
import { startDeclared } from './declaration.js'

const api: Api = window.Downpipe || { connect }
api.connect = connect
window.Downpipe = api
startDeclared(api)
