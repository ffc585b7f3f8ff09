/** The place in the server's log at the end of a cursor, or of an address that ends with one; 0 where there is none. */
export function place(cursor: string): number {
  return -Number(/-\d+$/.exec(cursor))
}
