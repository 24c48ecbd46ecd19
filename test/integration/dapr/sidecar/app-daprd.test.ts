import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {AppDaprd} from '../../../../src/dapr/sidecar/daprd/app-daprd.ts'
import type {ComponentResource} from '../../../../src/files/resources/components.ts'
import type {AppPlan} from '../../../../src/model/plan.ts'

/** Serves at its socket what it was given; one whose components have the word `slow` does so once there is a file `go`. */
const PROGRAM = `#!${process.execPath}
const {existsSync, readFileSync} = require('node:fs')
const of = name => process.argv[process.argv.indexOf('--' + name) + 1]
const text = readFileSync(of('resources-path') + '/components.yaml', 'utf8')
const components = text.split('---').map(each => ({name: JSON.parse(each).metadata.name, capabilities: []}))
const server = require('node:http').createServer((request, response) => {
  if (request.url.endsWith('/outbound')) return response.writeHead(204).end()
  response.end(JSON.stringify({components}))
})
const look = () => {
  if (text.includes('slow') && !existsSync('go')) return setTimeout(look, 5)
  server.listen(of('unix-domain-socket') + '/dapr-' + of('app-id') + '-http.socket')
}
look()
`

const PLACE = {file: 'a.yaml', line: 1, column: 1, source: ''}

const resource = (name: string): ComponentResource => ({
  name,
  type: 'state.cassandra',
  isOfDapr: true,
  capabilities: undefined,
  namespace: '',
  scopes: [],
  version: 'v1',
  properties: [],
  initTimeoutMs: 5000,
  ignoresErrors: false,
  secretStore: '',
  isDefault: false,
  place: PLACE,
  typePlace: PLACE
})

t.test('a daprd that dies while the next one starts has one that follows it, which has the new components', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'daprd-'))
  t.teardown(() => rmSync(folder, {recursive: true}))
  const path = join(folder, 'program')
  writeFileSync(path, PROGRAM, {mode: 0o755})
  const pids: number[] = []
  const plan = {
    id: 'shop',
    folder,
    sidecar: {maxBodyBytes: 0, readBufferBytes: 4096, logLevel: 'info'},
    stop: {timeoutMs: 1000},
    ready: {timeoutMs: 60_000}
  }
  const gone = Promise.withResolvers<void>()
  const daprd = new AppDaprd({
    program: {path, version: '1.13.5'},
    plan: plan as unknown as AppPlan,
    ports: {httpPort: 1, grpcPort: 2},
    env: process.env,
    run: 'r',
    life: 'r-d',
    folder: join(folder, 'd'),
    use: 'always',
    metadata: () => ({}),
    ending: new AbortController().signal,
    watchdog: {watch: ({pid}) => void pids.push(pid ?? 0), forget: () => undefined},
    log: () => undefined,
    warn: () => gone.resolve()
  })
  t.teardown(async () => daprd.close())
  daprd.follow([resource('one')])
  await daprd.open(resource('one'))
  daprd.follow([resource('one'), resource('slow')])
  while (pids.length < 2) await new Promise(setImmediate)
  process.kill(pids[0] ?? 0, 'SIGKILL')
  await gone.promise
  writeFileSync(join(folder, 'go'), '')
  await daprd.open(resource('slow'))
  await daprd.close()
  t.equal(pids.length, 2)
  for (const pid of pids) t.throws(() => process.kill(pid, 0), {code: 'ESRCH'})
})
