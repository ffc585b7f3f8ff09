import type { Test } from 'tap'
import { accessSuite } from './transport-access.js'
import type { Transport } from './transport-case.js'
import { deliverySuite } from './transport-delivery.js'
import { endingsSuite } from './transport-endings.js'
import { grantsSuite } from './transport-grants.js'
import { jwtSuite } from './transport-jwt.js'
import { membershipSuite } from './transport-memberships.js'

import { presenceSuite } from './transport-presence.js'

import { resumeSuite } from './transport-resume.js'

export type { Transport } from './transport-case.js'

/** What every transport must do, over real sockets. The cases run side by side: most of their time is waiting. */
export function transportSuite(t: Test, transport: Transport): void {
  t.jobs = 6
  deliverySuite(t, transport)
  resumeSuite(t, transport)
  accessSuite(t, transport)
  endingsSuite(t, transport)
  membershipSuite(t, transport)
  jwtSuite(t, transport)
  grantsSuite(t, transport)
  presenceSuite(t, transport)
}
