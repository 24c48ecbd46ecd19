import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {dirname, join, normalize, relative} from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../..')

const markdownIn = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder), {recursive: true, encoding: 'utf8'})
    .filter(name => name.endsWith('.md') && !name.includes('node_modules'))
    .map(name => join(folder, name))

const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'src/README.md',
  ...markdownIn('docs'),
  ...markdownIn('examples')
]

const textOf = (page: string): string => readFileSync(join(ROOT, page), 'utf8')

/** A page without what is code. */
const prose = (text: string): string => text.replaceAll(/^```.*?^```/gms, '').replaceAll(/`[^`\n]*`/g, '')

/** The targets of links and pictures: `[text](target)`, `src="target"`. */
const linksIn = (text: string): readonly string[] =>
  [...prose(text).matchAll(/\]\(([^)\s]+)\)|\bsrc(?:set)?="([^"]+)"/g)].map(
    ([, target, source]) => target ?? source ?? ''
  )

/** The anchors of a page, by the rule of GitHub and of the package registry. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = textOf(page)
    .replaceAll(/^```.*?^```/gms, '')
    .matchAll(/^#+ (.*)$/gm)
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-')
    )
  )
}

t.test('every link leads to a file that is there, and to a heading of it', async t => {
  let count = 0
  for (const page of PAGES)
    for (const target of linksIn(textOf(page))) {
      if (/^https?:/.test(target)) continue
      count++
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : normalize(join(dirname(page), path))
      t.ok(existsSync(join(ROOT, file)), `${page}: ${target}`)
      t.notOk(file.startsWith('..'), `${page}: ${target} is in the repository`)
      if (anchor !== undefined) t.ok(anchorsOf(file).has(anchor), `${page}: ${target}`)
    }
  t.ok(count > 100, count.toString())
})

t.test('links are relative, or to the sites of others, which are encrypted', async t => {
  const links = PAGES.flatMap(page => linksIn(textOf(page))).filter(target => /^\w+:/.test(target))
  t.same(
    links.filter(target => !/^https:\/\/[\w-]+(?:\.[\w-]+)+(?:\/|$)/.test(target)),
    []
  )
})

t.test('every page of the manual is reached from its first page, every picture is shown', async t => {
  const seen = new Set(['docs/README.md'])
  for (const page of seen)
    for (const target of linksIn(textOf(page))) {
      const file = normalize(join(dirname(page), target.split('#')[0] ?? ''))
      if (file.startsWith('docs/') && file.endsWith('.md')) seen.add(file)
    }
  t.same(
    markdownIn('docs').filter(page => !seen.has(page)),
    []
  )
  const shown = new Set(
    PAGES.flatMap(page => linksIn(textOf(page)).map(target => relative('docs', join(dirname(page), target))))
  )
  t.same(
    readdirSync(join(ROOT, 'docs')).filter(name => /\.(?:svg|png)$/.test(name) && !shown.has(name)),
    []
  )
})

t.test('the check finds a link, not one in code', async t => {
  t.same(linksIn('[a](b.md) ![c](d.svg) `[e](f.md)`\n```\n[g](h.md)\n```\n[i](j.md#k) <img src="l.png">'), [
    'b.md',
    'd.svg',
    'j.md#k',
    'l.png'
  ])
})
