import { environmentName, options } from './options.js'
import { unknownName } from './problem.js'
import { type Given, itemsOf, type Source } from './source.js'

const byName = new Map(options.map(option => [environmentName(option), option]))

/** Variables of the commands that call a server; whoever exports them may start a server there, too. */
const ofCommands: readonly string[] = ['DOWNPIPE_URL', 'DOWNPIPE_SITE']

/**
 * What Kubernetes puts into every container for a service that is called `downpipe` or `downpipe-…`: without
 * this, giving the service its obvious name would keep it from starting.
 */
const serviceLink =
  /^DOWNPIPE_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)$/
const servicePort = /^DOWNPIPE_(?:\w+_)?PORT$/
const servicePortValue = /^(?:tcp|udp|sctp):\/\//

/**
 * Reads the variables that start with `DOWNPIPE_`. An empty one counts as not given: compose files make them
 * so.
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Source {
  const given: Given[] = []
  const problems: string[] = []
  for (const [name, text = ''] of Object.entries(env)) {
    if (!name.startsWith('DOWNPIPE_') || text.trim() === '') continue
    const option = byName.get(name)
    if (option !== undefined) given.push({ option, source: name, items: itemsOf(option, text) })
    else if (!ofCommands.includes(name) && !isServiceLink(name, text))
      problems.push(unknownName(name, name, [...byName.keys()]))
  }
  return { given, problems }
}

function isServiceLink(name: string, text: string): boolean {
  return serviceLink.test(name) || (servicePort.test(name) && servicePortValue.test(text))
}
