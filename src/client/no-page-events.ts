/** Stands in place of what follows the page's life. */
export function followPage(): () => void {
  return () => {}
}
