import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {basename, join} from 'node:path'
import type {Test} from 'tap'
import {AppDaprd} from '../../../../src/dapr/sidecar/daprd/app-daprd.ts'
import type {ComponentResource} from '../../../../src/files/resources/components.ts'
import type {AppPlan} from '../../../../src/model/plan.ts'
import {pause} from '../../../../src/platform/delay.ts'

/**
 * Serves at its socket what it was given; one whose components have the word `slow` does so once there is a file `go`, one with the word
 * `mute` does not answer, one with the word `stubborn` does not end at SIGTERM, one with the word `broken` ends at once. While there is a
 * file `down` all end at once, while there is one `refused` nobody can subscribe. Its configuration is the file `items`. Who has subscribed
 * to configuration is told of a change at SIGUSR2. One whose components have the word `reads` asks for topics, and writes what it got.
 */
const PROGRAM = `#!${process.execPath}
const {existsSync, readFileSync, writeFileSync} = require('node:fs')
const of = name => process.argv[process.argv.indexOf('--' + name) + 1]
if (existsSync('down')) process.exit(1)
const text = readFileSync(of('resources-path') + '/components.yaml', 'utf8')
if (text.includes('broken')) process.exit(1)
const components = text.split('---').map(each => ({name: JSON.parse(each).metadata.name, capabilities: []}))
const http = require('node:http')
const id = String(process.pid)
const server = http.createServer((request, response) => {
  if (text.includes('mute')) return writeFileSync('asked', '')
  const isBegun = () => writeFileSync('subscribed-' + id, '')
  if (request.url.includes('/subscribe?') && existsSync('refused')) return response.writeHead(500).end('{}', isBegun)
  if (request.url.includes('/subscribe?')) return response.end(JSON.stringify({id}), isBegun)
  if (request.url.includes('/unsubscribe')) return response.writeHead(request.url.includes(id) ? 200 : 500).end()
  if (request.url.includes('/configuration/')) return response.end(existsSync('items') ? readFileSync('items') : '')
  if (request.url.endsWith('/outbound')) return response.writeHead(204).end()
  response.end(JSON.stringify({components}))
})
const headers = {'dapr-api-token': process.env.APP_API_TOKEN}
if (text.includes('reads'))
  http.get({host: '127.0.0.1', port: of('app-port'), path: '/dapr/subscribe', headers}, response =>
    response.on('data', list => writeFileSync('topics-' + id, list)))
if (text.includes('stubborn')) process.on('SIGTERM', () => undefined)
process.on('SIGUSR2', () => {
  const options = {host: '127.0.0.1', port: of('app-port'), method: 'POST', path: '/configuration/config/k', headers}
  http.request(options).end(JSON.stringify({id, items: {k: {value: id}}}))
})
const look = () => {
  if (text.includes('slow') && !existsSync('go')) return setTimeout(look, 5)
  server.listen(of('unix-domain-socket') + '/dapr-' + of('app-id') + '-http.socket')
}
look()
`

const PLACE = {file: 'a.yaml', line: 1, column: 1, source: ''}

/** A component that daprd serves. */
export const resource = (name: string, type = 'state.cassandra'): ComponentResource => ({
  name,
  type,
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

/** Keeps daprds for an app; the numbers of their processes. */
export function open(t: Test, timeoutMs = 60_000, graceMs = 1000) {
  const folder = mkdtempSync(join(tmpdir(), 'daprd-'))
  t.teardown(() => rmSync(folder, {recursive: true}))
  const path = join(folder, 'program')
  writeFileSync(path, PROGRAM, {mode: 0o755})
  const pids: number[] = []
  const lines: string[] = []
  const warned: string[] = []
  const plan = {
    id: 'shop',
    folder,
    sidecar: {maxBodyBytes: 0, readBufferBytes: 4096, logLevel: 'info'},
    stop: {timeoutMs: graceMs},
    ready: {timeoutMs}
  }
  const gone = Promise.withResolvers<void>()
  const now = new AbortController()
  const daprd = new AppDaprd({
    program: {path, version: '1.13.5'},
    plan: plan as unknown as AppPlan,
    ports: {httpPort: 1, grpcPort: 2},
    env: process.env,
    run: 'r',
    life: basename(folder),
    folder: join(folder, 'd'),
    use: 'always',
    metadata: () => ({}),
    ending: new AbortController().signal,
    now: now.signal,
    watchdog: {watch: ({pid}) => void pids.push(pid ?? 0), forget: () => undefined, openNetwork: async () => undefined},
    log: ({level, message}) => void lines.push(`${level}: ${message}`),
    warn: text => {
      warned.push(text)
      gone.resolve()
    }
  })
  t.teardown(async () => daprd.close())
  return {daprd, pids, lines, warned, folder, gone: gone.promise, endNow: () => now.abort()}
}

/** Asks until it is answered. */
export async function answered<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const found = await ask().catch(() => undefined)
    if (found !== undefined) return found
    await pause(20)
  }
}

/** A daprd that reads, and the topics that the n-th process got. */
export async function reading(t: Test) {
  const opened = open(t)
  const {daprd, pids, folder} = opened
  daprd.setKnown('topics')
  daprd.follow([resource('reads')])
  await daprd.open(resource('reads'))
  const add = (topic: string): void =>
    void daprd.read({pubsubName: 'reads', topic, atOnce: 0, deliver: async () => 'done'})
  const topicsOf = async (pid = 0): Promise<readonly string[]> =>
    (JSON.parse(readFileSync(join(folder, `topics-${pid}`), 'utf8')) as {topic: string}[]).map(({topic}) => topic)
  return {...opened, add, topicsOf: async (at: number) => answered(async () => topicsOf(pids.at(at)))}
}
