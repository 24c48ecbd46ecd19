import {readFileSync} from 'node:fs'
import {join} from 'node:path'

/** The cells of a table of a page of the manual, without its head. `heading`: that of its section. */
export function tableOf(page: string, heading: string): readonly (readonly string[])[] {
  const text = readFileSync(join(import.meta.dirname, '../../docs', page), 'utf8')
  const section = text.split(/^## /m).find(part => part.startsWith(`${heading}\n`)) ?? ''
  const rows = section.split('\n').filter(line => line.startsWith('|'))
  return rows.slice(2).map(row =>
    row
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim())
  )
}
