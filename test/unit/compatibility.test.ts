import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {ledger} from '../../scripts/ledger.ts'
import {fileOfTest, lacking} from '../rig/test-titles.ts'

const ROOT = join(import.meta.dirname, '../..')

const ROWS = ledger().flatMap(({parts}) => parts.flatMap(({rows}) => rows))

t.test('every test that a row of the ledger names is there: its file, and its title', async t => {
  t.ok(ROWS.length > 800)
  t.same(
    ROWS.flatMap(({tests = {}}) => Object.entries(tests)).flatMap(([file, titles]) =>
      lacking(file, titles ?? '').map(title => `${file}: ${title}`)
    ),
    []
  )
})

t.test('no row stands without a test, unless it is missing, on purpose, or tells how else it was checked', async t => {
  const bare = ROWS.filter(({tests, checked}) => tests === undefined && checked === undefined)
  t.same(
    bare.filter(({standing, why = ''}) => standing !== 'missing' && !why.includes('on purpose')),
    []
  )
})

t.test('each behaviour stands once', async t => {
  const seen = new Set<string>()
  t.same(
    ROWS.filter(({behaviour}) => seen.size === seen.add(behaviour).size && !behaviour.startsWith('…')).map(
      ({behaviour}) => behaviour
    ),
    []
  )
})

t.test('the page for people is short', async t => {
  const words = readFileSync(join(ROOT, 'docs/compatibility.md'), 'utf8').split(/\s+/).length
  t.ok(words < 1500, words.toString())
})

t.test('the check finds a file that is gone, and a title', async t => {
  t.ok(existsSync(fileOfTest('unit/compatibility')))
  t.same(lacking('unit/compatibility', 'each behaviour stands once · the page … is short'), [])
  t.same(lacking('unit/links', 'links are relative … · links are round'), ['links are round'])
  t.same(lacking('unit/no-such-test', ''), ['no such file'])
})
