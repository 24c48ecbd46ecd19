import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** The file of a test as pages name it: below `test/`, or below `src/` for a package; `.test.ts` may be left out. */
export const fileOfTest = (path: string): string =>
  join(ROOT, path.startsWith('packages/') ? 'src' : 'test', path.endsWith('.ts') ? path : `${path}.test.ts`)

/** Titles as they are written and as they are quoted: what is filled in, marks and spaces do not count. */
const plain = (text: string): string =>
  text
    .replaceAll(/\$\{[^}]*\}|[`'’"\\…]/g, '')
    .replaceAll(/\s+/g, ' ')
    .toLowerCase()

const sources = new Map<string, string>()

function sourceOf(file: string): string {
  const source = sources.get(file) ?? plain(readFileSync(file, 'utf8'))
  sources.set(file, source)
  return source
}

/**
 * Which of the quoted titles are not in the file of a test. Titles are separated by ` · ` or `; `, `…` stands for what is left out,
 * and a remark may stand in brackets. A folder may be named instead of a file, without titles.
 */
export function lacking(path: string, titles: string): readonly string[] {
  const file = fileOfTest(path)
  if (existsSync(join(ROOT, 'test', path)) && titles === '') return []
  if (!existsSync(file)) return ['no such file']
  const source = sourceOf(file)
  return titles
    .split(/ · |; |…/)
    .filter(piece => [piece, piece.replaceAll(/\([^()]*\)/g, '')].every(each => !source.includes(plain(each).trim())))
    .map(piece => piece.trim())
}
