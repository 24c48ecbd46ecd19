import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../..')
const manifest = readFileSync(join(ROOT, 'docs/compatibility.md'), 'utf8')

t.test('every test file that the ledger names is there', async t => {
  const named = new Set(
    [
      ...manifest.matchAll(
        /\b((?:unit|integration|e2e|browser|sdks|servers|long|kubernetes|java|packages|(?<=test\/)docs)\/[\w/-]*\w)(?:\.test\.ts)?/g
      )
    ].map(([, path = '']) => path)
  )
  t.ok(named.size > 50)
  for (const path of named) {
    const file = join(ROOT, path.startsWith('packages/') ? 'src' : 'test', path)
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

/** Titles as they are written and as the ledger quotes them: what is filled in, `…`, marks and spaces do not count. */
const plain = (text: string): string =>
  text
    .replaceAll(/\$\{[^}]*\}|[`'’"\\…]/g, '')
    .replaceAll(/\s+/g, ' ')
    .toLowerCase()

t.test('each title that stands behind the path of a file is in this file', async t => {
  const cells = manifest
    .split('\n')
    .filter(line => line.startsWith('| '))
    .map(line => line.split(/(?<!\\)\|/).at(-2) ?? '')
  const quoted = cells.flatMap(cell => [...cell.matchAll(/`((?:\w+\/)[\w/-]*\w)(?:\.test\.ts)?`: ([^`]*)/g)])
  t.ok(quoted.length > 100)
  for (const [, path = '', titles = ''] of quoted) {
    const file = join(ROOT, path.startsWith('packages/') ? 'src' : 'test', `${path}.test.ts`)
    const source = plain(readFileSync(file, 'utf8'))
    const pieces = titles.split(/ · |; |…/).map(piece => plain(piece).trim())
    t.same(
      pieces.filter(piece => !source.includes(piece)),
      [],
      path
    )
  }
})

t.test('the files of a section that names only their last parts are there', async t => {
  const legend = manifest.split('\n').find(line => line.startsWith('Files: ')) ?? ''
  const groups = [...legend.matchAll(/((?:`[\w-]+`(?:, )?)+) = `(test\/[\w/]+\/)`/g)]
  t.ok(groups.length > 5)
  for (const [, names = '', folder = ''] of groups)
    for (const name of names.split(', '))
      t.ok(existsSync(join(ROOT, folder, `${name.replaceAll('`', '')}.test.ts`)), folder + name)
})

const STANDINGS = ['same', 'better', 'missing'] as const

t.test('the table at the top counts the rows of each section', async t => {
  const [head = '', ...sections] = manifest.split(/^## /m)
  const counted = sections.map(section => {
    const rows = section.split('\n').filter(line => line.startsWith('| ') && !/^\| (?:behaviour|-)/.test(line))
    const standings = rows.map(
      row =>
        row
          .split(/(?<!\\)\|/)[2]
          ?.trim()
          .toLowerCase() ?? ''
    )
    const known = STANDINGS.map(word => standings.filter(standing => standing.startsWith(word)).length)
    const others = rows.length - known.reduce((sum, count) => sum + count, 0)
    return `| ${[section.split('\n', 1)[0], rows.length, ...known, others].join(' | ')} |`
  })
  t.same(
    head.split('\n').filter(line => /^\| [A-Z]/.test(line)),
    counted
  )
})
