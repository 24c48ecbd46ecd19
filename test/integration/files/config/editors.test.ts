import {globSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {pathToFileURL} from 'node:url'
import t from 'tap'
import {LanguageServer, type Diagnostic} from '../../../rig/language-server.ts'

const ROOT = join(import.meta.dirname, '../../../..')
const SCHEMA = pathToFileURL(join(ROOT, 'schema/template.json')).href

async function openServer(t: {teardown(close: () => Promise<void>): void}): Promise<LanguageServer> {
  const server = new LanguageServer(SCHEMA)
  t.teardown(async () => server.close())
  await server.open()
  return server
}

const at = ({message, range: {start, end}}: Diagnostic): string =>
  `${start.line + 1}:${start.character + 1}-${end.character + 1} ${message}`

t.test('the editor finds nothing wrong with our examples', async t => {
  const server = await openServer(t)
  const templates = globSync('*/dapr.yaml', {cwd: join(ROOT, 'examples')})
  t.ok(templates.length >= 4)
  for (const name of templates) {
    const text = readFileSync(join(ROOT, 'examples', name), 'utf8')
    t.same((await server.diagnose(name, text)).map(at), [], name)
  }
})

t.test('the editor names what is wrong, where it stands', async t => {
  const server = await openServer(t)
  const head = 'version: 1\napps:\n  - appDirPath: shop\n'
  const table: readonly (readonly [string, string, RegExp])[] = [
    ['an unknown key', `${head}    comand: [node]\n`, /^4:5-11 .*comand/],
    ['a wrong value', `${head}    restart: often\n`, /^4:14-19 /],
    ['a key within a key', `${head}    watch: {path: [src]}\n`, /^4:13-17 .*path/],
    ['a key that is missing', 'version: 1\napps:\n  - appID: shop\n', /^3:5-\d+ .*appDirPath/]
  ]
  for (const [what, text, expected] of table) {
    const [first, ...others] = (await server.diagnose(`${what.replaceAll(' ', '-')}.yaml`, text)).map(at)
    t.match(first, expected, what)
    t.same(others, [], what)
  }
})

t.test('the editor completes keys and values', async t => {
  const server = await openServer(t)
  await server.diagnose('keys.yaml', 'version: 1\napps:\n  - appDirPath: shop\n    \n')
  const keys = await server.complete('keys.yaml', {line: 3, character: 4})
  for (const key of ['appID', 'command', 'watch', 'dependsOn', 'ready', 'autoPort']) t.ok(keys.includes(key), key)
  t.notOk(keys.includes('appDirPath'), 'what stands there already is not offered')
  await server.diagnose('values.yaml', 'version: 1\napps:\n  - appDirPath: shop\n    restart: \n')
  t.match(await server.complete('values.yaml', {line: 3, character: 13}), ['no', 'on-failure', 'always'])
})
