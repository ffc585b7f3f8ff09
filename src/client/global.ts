import { connect } from './connect.js'
import { startDeclared } from './declaration.js'

const api = Object(window.Downpipe)
window.Downpipe = api
api.connect = connect
startDeclared(api)
