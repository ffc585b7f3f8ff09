/** The `typ` in the header of a grant: it tells grants from tokens, of which none may pass for the other. Source: RFC 8725, 3.11. */
export const grantType = 'downpipe-grant+jwt'
