const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** A text as it stands in HTML, in an element or a quoted attribute. */
export function html(text: string): string {
  return text.replace(/[&<>"]/g, character => ENTITIES[character] ?? character)
}

/** A table; the first row is its head. Cells are texts. */
export function htmlTable([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: 'td' | 'th') =>
    `<tr>${cells.map(cell => `<${tag}>${html(cell)}</${tag}>`).join('')}</tr>`
  return `<div class="wide"><table>${line(head, 'th')}${rows.map(cells => line(cells, 'td')).join('')}</table></div>`
}
