/** Somebody who may log in to the demo. There are no passwords: whoever clicks on a name is that user. */
export interface User {
  /** The id under which the push service knows the user. */
  readonly uid: string
  readonly name: string
  /** May kick others. */
  readonly isAdmin: boolean
}

/** Everybody who may log in, in the order of the buttons. */
export const users: readonly User[] = [
  { uid: 'ada', name: 'Ada', isAdmin: true },
  { uid: 'bert', name: 'Bert', isAdmin: false },
  { uid: 'cleo', name: 'Cleo', isAdmin: false },
]

/** The user of that id, or undefined when there is none. */
export function findUser(uid: string): User | undefined {
  return users.find(user => user.uid === uid)
}
