import {spawnSync} from 'node:child_process'
import {join} from 'node:path'
import t from 'tap'

const METHODS = join(import.meta.dirname, '../../../../../src/dapr/sidecar/grpc/own-methods.ts')

/** The first calls come while no file can be opened, the next ones later. */
const SCRIPT = `
const {closeSync, openSync} = await import('node:fs')
const {ownMethod} = await import(${JSON.stringify(METHODS)})
const failing = async () => Promise.reject(new Error('it was loaded'))
const context = {appId: 'shop', blocks: failing, workflows: failing}
const call = {head: {}, trace: {traceparent: ''}, onGone: () => undefined}
const why = async path => ownMethod(path)(Buffer.alloc(0), context, call).then(() => '', ({message}) => message)
const paths = ['/dapr.proto.runtime.v1.Dapr/GetState', '/TaskHubSidecarService/GetInstance']
const open = []
try {
  for (;;) open.push(openSync('/dev/null'))
} catch {}
const first = await Promise.all(paths.map(why))
for (const each of open) closeSync(each)
console.log(JSON.stringify([first, await Promise.all(paths.map(why))]))
`

t.test('what could not be loaded for a call, as no file could be opened, is loaded for a later one', t => {
  const limited = 'ulimit -n 100; exec "$0" --input-type=module -e "$1"'
  const {stdout, stderr} = spawnSync('sh', ['-c', limited, process.execPath, SCRIPT], {encoding: 'utf8'})
  const [first, later] = JSON.parse(stdout || JSON.stringify([stderr])) as readonly string[][]
  t.ok(
    first?.every(why => why.includes('too many open files')),
    `${first?.join()}`
  )
  t.same(later, ['it was loaded', 'it was loaded'])
  t.end()
})
