import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {Ajv} from 'ajv'
import t from 'tap'
import {parse} from 'yaml'

const ROOT = join(import.meta.dirname, '../..')
const ajv = new Ajv({strict: false, allowUnionTypes: true})
const accepts = ajv.compile(JSON.parse(readFileSync(join(ROOT, 'schema/template.json'), 'utf8')))

/** The YAML blocks of a page. */
const blocksIn = (page: string): readonly string[] =>
  [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = '']) => text)

interface Shown {
  readonly apps?: unknown
}

t.test('templates that the pages show are templates', async t => {
  const pages = ['README.md', ...readdirSync(join(ROOT, 'docs')).map(name => `docs/${name}`)].filter(name =>
    name.endsWith('.md')
  )
  let count = 0
  for (const page of pages)
    for (const text of blocksIn(page)) {
      // a variable with a default stands for it, one without for a text
      const plain = text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1').replaceAll(/\$\{[^}]*\}/g, 'text')
      const shown = parse(plain, {version: '1.1', merge: true}) as Shown
      if (!Array.isArray(shown.apps)) continue
      count++
      // parts of a template, and second files, may leave out what the first one has
      const whole = {version: 1, ...shown, apps: shown.apps.map((app: object) => ({appDirPath: '.', ...app}))}
      t.ok(accepts(whole), `${page}: ${text}${ajv.errorsText(accepts.errors)}`)
    }
  t.ok(count > 12, count.toString())
})
