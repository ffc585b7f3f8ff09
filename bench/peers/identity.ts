/** What the stand-in for the CMS says of a token. */
export interface Identity {
  readonly uid: string
  readonly channels: readonly string[]
}

/** Asks who a token belongs to, as a server of the comparison does for each connection; `undefined` if it is refused. */
export async function askForIdentity(authUrl: string, token: string): Promise<Identity | undefined> {
  const response = await fetch(authUrl, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token }),
  })
  if (response.status !== 200) {
    await response.arrayBuffer()
    return undefined
  }
  return response.json()
}
