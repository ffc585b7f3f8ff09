export { type Address, type Config, ConfigError, defaults, loadConfig } from './config.js'
export { type RunningServer, startServer } from './server.js'
