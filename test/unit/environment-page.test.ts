import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../..')

t.test('the page of environment variables names every variable of ours', async t => {
  const page = readFileSync(join(ROOT, 'docs/environment.md'), 'utf8')
  const sources = readdirSync(join(ROOT, 'src'), {recursive: true, encoding: 'utf8'}).filter(name =>
    name.endsWith('.ts')
  )
  const named = sources.flatMap(
    name => readFileSync(join(ROOT, 'src', name), 'utf8').match(/\bPILLION_[A-Z]+(?:_[A-Z]+)*\b/g) ?? []
  )
  const all = [...new Set(named)].toSorted()
  t.ok(all.length > 4, all.join(' '))
  t.same(
    all.filter(name => !page.includes(`\`${name}\``)),
    []
  )
})
