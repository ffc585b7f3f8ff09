/** The program of the process that publishes. It is also the CMS that the servers ask about tokens. */
import { AuthServer } from './auth-server.js'
import { Parent } from './parent.js'
import type { PublisherCommand, PublisherReport } from './protocol.js'
import { closeConnections, Publication } from './publication.js'

const PROGRESS_MS = 500

const authServer = new AuthServer()
let publication: Publication | undefined
let reported = 0
const kinds = ['publish', 'askAuth', 'leave'] as const
const parent = new Parent<PublisherCommand, PublisherReport>(kinds, command => {
  if (command.kind === 'leave') {
    closeConnections()
    setTimeout(() => process.exit(0), 100)
  } else if (command.kind === 'askAuth') parent.report(authServer.takeStock(command.delayMs))
  else {
    publication = new Publication(command)
    void publication.run().then(report => parent.report(report))
  }
})

setInterval(() => {
  const answered = publication?.answered ?? 0
  if (answered !== reported) parent.report({ kind: 'progress', answered })
  reported = answered
}, PROGRESS_MS)

parent.report({ kind: 'up', authUrl: await authServer.listen() })
