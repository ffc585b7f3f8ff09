import { KEEPS_NOTHING, nodePeer, tokenOf } from './node-peer.js'
import { installedVersion, isInstalled } from './repository.js'

/** The socket.io library over websockets, with a room for each channel. */
export const socketIo = nodePeer({
  name: 'socket.io',
  describe: () =>
    `${installedVersion('socket.io')} over websockets, without compression, a room for each channel`,
  missing: () => (isInstalled('socket.io') ? undefined : 'the package socket.io is not installed'),
  cannot: KEEPS_NOTHING,
  needsNativeReader: true,
  program: programs => programs.socketIo,
  stream: audience => ({
    kind: 'socket.io',
    path: `/socket.io/?EIO=4&transport=websocket&token=${tokenOf(audience)}`,
    ready: 'event',
  }),
})
