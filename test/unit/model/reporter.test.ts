import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../../..')
const codesIn = (file: string, pattern: RegExp): readonly string[] =>
  [...readFileSync(join(ROOT, file), 'utf8').matchAll(pattern)].map(([, code = '']) => code)

t.test('every code of a mistake in a template and of a hint is in docs/messages.md, and no other one', t => {
  const [, ...tables] = readFileSync(join(ROOT, 'docs/messages.md'), 'utf8').split('\n## ')
  for (const [at, file] of ['src/model/mistake-code.ts', 'src/model/hint-code.ts'].entries()) {
    const codes = codesIn(file, /^ {2}\| '([a-z0-9-]+)'/gm)
    t.ok(codes.length > 15)
    const rows = (tables[at] ?? '').matchAll(/^\| `([a-z0-9-]+)` \|/gm)
    t.same([...rows].map(([, code = '']) => code).toSorted(), codes.toSorted())
  }
  t.end()
})

t.test('every code of a warning is in docs/messages.md, and no others', t => {
  const codes = codesIn('src/model/reporter.ts', /^ {2}\| '([a-z-]+)'/gm)
  t.ok(codes.length > 20)
  const [table = ''] = readFileSync(join(ROOT, 'docs/messages.md'), 'utf8').split('\n## ', 1)
  t.same([...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code = '']) => code).toSorted(), codes.toSorted())
  t.end()
})
