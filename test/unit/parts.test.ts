import {globSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {PARTS, QUICK} from '../runner/parts.ts'

const ROOT = join(import.meta.dirname, '../..')

t.test('an end-to-end test that is left out with one of the two programs runs with the other', async t => {
  for (const file of globSync('test/e2e/*.test.ts', {cwd: ROOT})) {
    const text = readFileSync(join(ROOT, file), 'utf8')
    const [byNpm, byExecutable] = [QUICK.except?.includes(file) !== true, PARTS['executable']?.tests.includes(file)]
    if (/skip = BINARY === undefined/.test(text)) t.ok(byExecutable, `${file} needs the executable`)
    if (/skip: process\.env\['PILLION'\]/.test(text)) t.ok(byNpm, `${file} needs the built program`)
    t.ok(byNpm || byExecutable, file)
  }
})
