import {spawnSync} from 'node:child_process'
import {join} from 'node:path'
import t from 'tap'

const SOURCES = join(import.meta.dirname, '../../../../src')

/** The first are counted, traced, or opened while no file can be opened, the next ones later. */
const SCRIPT = `
const {closeSync, openSync} = await import('node:fs')
const load = async path => import(${JSON.stringify(SOURCES)} + path)
const {SidecarMetering} = await load('/dapr/sidecar/call-path.ts')
const {SidecarSpans} = await load('/dapr/sidecar/spans.ts')
const {ComponentSet} = await load('/dapr/components/component-set.ts')
const {NO_RESOURCES} = await load('/files/resources/defaults.ts')
const metering = new SidecarMetering('shop', '', {snapshot: NO_RESOURCES, onChange: () => () => undefined})
const settings = {samplingRate: '1', isLogged: false, zipkinUrl: 'http://127.0.0.1:1/spans', otlp: undefined}
const warnings = []
const warn = (_, text) => warnings.push(text)
const log = () => undefined
const spans = new SidecarSpans(settings, {appId: 'shop', httpPort: 1, resources: {warn}, env: {}, log})
const plans = {echo: {mode: 'record'}}
const set = new ComponentSet({env: {}, redis: {}, conversation: {folder: '/nowhere', plans}})
const place = {file: 'echo.yaml', line: 1, column: 1, source: ''}
const resource = {name: 'echo', type: 'conversation.echo', version: 'v1', properties: [], initTimeoutMs: 10_000, place}
const use = async () => set.use({resource, properties: [], folder: '/', owner: '', warn}).then(() => 'open', ({message}) => message)
const begun = ['first', 'later'].map(name => spans.startCallback(name, '', {}))
const count = () => {
  metering.count(calls => calls.probed(200, 1))
  begun.pop().end(0, '')
}
const open = []
try {
  for (;;) open.push(openSync('/dev/null'))
} catch {}
count()
const text = async () => metering.text(async () => []).catch(({message}) => message)
const first = [await text(), await use()]
await new Promise(setImmediate)
for (const each of open) closeSync(each)
count()
const later = [await text(), await use()]
await spans.close()
console.log(JSON.stringify([first, later, warnings]))
process.exit()
`

t.test('what could not be loaded to count, trace and record, as no file could be opened, is loaded later', t => {
  const limited = 'ulimit -n 100; exec "$0" --input-type=module -e "$1"'
  const options = {encoding: 'utf8', timeout: 20_000} as const
  const {stdout, stderr} = spawnSync('sh', ['-c', limited, process.execPath, SCRIPT], options)
  t.equal(stderr, '', 'it is the failure of nobody')
  const [first, later, warnings] = JSON.parse(stdout || '[[], [], []]') as readonly string[][]
  t.match(first, [/too many open files/, /too many open files/])
  t.match(later, [/^dapr_http_healthprobes_completed_count\{.*\} 2$/m, /^open$/])
  t.match(warnings?.[0], /127\.0\.0\.1:1/, 'spans are sent')
  t.end()
})
