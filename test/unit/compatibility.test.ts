import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../..')
const manifest = readFileSync(join(ROOT, 'docs/compatibility.md'), 'utf8')

t.test('every test file that the ledger names is there', async t => {
  const named = new Set(
    [...manifest.matchAll(/\b((?:unit|integration|e2e)\/[\w/-]*\w)(?:\.test\.ts)?/g)].map(([, path = '']) => path)
  )
  t.ok(named.size > 50)
  for (const path of named) {
    const file = join(ROOT, 'test', path)
    t.ok(existsSync(`${file}.test.ts`) || existsSync(file), path)
  }
})

t.test('no row stands without a test, unless it says that something is missing or on purpose', async t => {
  const rows = manifest.split('\n').filter(line => line.startsWith('| ') && !/^\| (behaviour|\*\*|\|)/.test(line))
  const bare = rows.filter(row => / \| (—|–|)\s*\|$/.test(row))
  t.same(
    bare.filter(row => !/missing|on purpose|\| \d+ \|/.test(row)),
    []
  )
})
