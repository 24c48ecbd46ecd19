import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../..')

/** Names that several files export, and why. */
const ALLOWED: Readonly<Record<string, string>> = {
  open: 'each type of component exports it: `types.ts` next to it loads its file by this name'
}

/** An index gives the names of others; what is compiled has the names of Dapr's files. */
const isRead = (file: string): boolean =>
  file.endsWith('.ts') && !/(?:^|\/)index\.ts$|\.generated\.(?:d\.)?ts$|(?:^|\/)test\//.test(file)

const DECLARED =
  /^export (?:declare |abstract |async |default )*(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm

/** The names that more than one of the files exports, each with its files. */
function twice(texts: ReadonlyMap<string, string>): ReadonlyMap<string, readonly string[]> {
  const files = new Map<string, string[]>()
  for (const [file, text] of texts)
    for (const name of new Set([...text.matchAll(DECLARED)].map(([, found = '']) => found)))
      files.set(name, [...(files.get(name) ?? []), file])
  return new Map([...files].filter(([, all]) => all.length > 1))
}

t.test('a name is exported by one file', async t => {
  const src = join(ROOT, 'src')
  const files = readdirSync(src, {recursive: true, encoding: 'utf8'}).filter(isRead)
  const found = twice(new Map(files.map(file => [file, readFileSync(join(src, file), 'utf8')])))
  t.ok(files.length > 300)
  t.strictSame(
    [...found].filter(([name]) => !(name in ALLOWED)),
    []
  )
  t.strictSame(
    Object.keys(ALLOWED).filter(name => !found.has(name)),
    [],
    'each exception is still one'
  )
})

t.test('the check finds types and values, whatever stands before their names', async t => {
  const texts = new Map([
    ['a.ts', 'export interface One {\n}\nexport const two = 1\nconst three = 1\nexport abstract class Four {'],
    ['b.ts', 'export type One = 1\nexport async function two() {\n}\nexport const three = 1\nexport class Four {'],
    ['c.ts', "export {One} from './a.ts'\n"]
  ])
  t.strictSame(
    [...twice(texts)],
    [
      ['One', ['a.ts', 'b.ts']],
      ['two', ['a.ts', 'b.ts']],
      ['Four', ['a.ts', 'b.ts']]
    ]
  )
})
