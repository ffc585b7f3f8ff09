import { matching } from './kind.js'

/** What the site at the top level is called, which is the only one where no others are configured. */
export const defaultSite = 'default'

/** What a site's name looks like, so that "must be …" can be said of it. */
export const siteNameForm = 'a-z, 0-9, - and _, at most 63 characters'

const pattern = /^[a-z0-9][a-z0-9_-]{0,62}$/

/** Whether a site may be called so: the name stands in addresses, and in the `aud` of grants. */
export function isSiteName(name: string): boolean {
  return pattern.test(name)
}

/** A site's name, as a word of the command line. */
export const siteName = matching('NAME', `a site's name: ${siteNameForm}`, pattern)
