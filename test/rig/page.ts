import {readFileSync} from 'node:fs'
import {join} from 'node:path'

/** The files that a page of the manual shows: code blocks whose first line is a comment with their name. */
export function filesOf(page: string): Readonly<Record<string, string>> {
  const text = readFileSync(join(import.meta.dirname, '../../docs', page), 'utf8')
  const blocks = [...text.matchAll(/^```\w+\n(?:\/\/|#) (\S+)\n(.*?)^```/gms)]
  return Object.fromEntries(blocks.map(([, name = '', code = '']) => [name, code]))
}
