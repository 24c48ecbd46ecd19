import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {basename, join} from 'node:path'
import {mock} from 'node:test'
import t, {type Test} from 'tap'
import type {ConfigurationItems, ConfigurationStore} from '../../../../src/dapr/components/configuration/types.ts'
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

const resource = (name: string, type = 'state.cassandra'): ComponentResource => ({
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
function open(t: Test, timeoutMs = 60_000, graceMs = 1000) {
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
    watchdog: {watch: ({pid}) => void pids.push(pid ?? 0), forget: () => undefined},
    log: ({level, message}) => void lines.push(`${level}: ${message}`),
    warn: text => {
      warned.push(text)
      gone.resolve()
    }
  })
  t.teardown(async () => daprd.close())
  return {daprd, pids, lines, warned, folder, gone: gone.promise, endNow: () => now.abort()}
}

t.test('a daprd that dies while the next one starts has one that follows it, which has the new components', async t => {
  const {daprd, pids, folder, gone} = open(t)
  daprd.follow([resource('one')])
  await daprd.open(resource('one'))
  daprd.follow([resource('one'), resource('slow')])
  while (pids.length < 2) await new Promise(setImmediate)
  process.kill(pids[0] ?? 0, 'SIGKILL')
  await gone
  writeFileSync(join(folder, 'go'), '')
  await daprd.open(resource('slow'))
  await daprd.close()
  t.equal(pids.length, 2)
  for (const pid of pids) t.throws(() => process.kill(pid, 0), {code: 'ESRCH'})
})

t.test('a subscription to configuration continues with the daprd that follows one, and can be ended there', async t => {
  const {daprd, pids, folder} = open(t)
  const config = resource('config', 'configuration.azure.appconfig')
  daprd.follow([config])
  const store = (await daprd.open(config)) as ConfigurationStore
  let told = Promise.withResolvers<ConfigurationItems>()
  const end = await store.subscribe([], {}, items => told.resolve(items))
  /** The daprd that is the n-th to serve has the subscription, and tells of a change. */
  const tells = async (n: number): Promise<void> => {
    const isBegun = (): boolean => existsSync(join(folder, `subscribed-${pids[n]}`))
    while (!isBegun()) await pause(5)
    const pid = pids[n] ?? 0
    told = Promise.withResolvers()
    process.kill(pid, 'SIGUSR2')
    t.match(await told.promise, {k: {value: `${pid}`}})
  }
  await tells(0)
  daprd.follow([config, resource('two')])
  await daprd.open(resource('two'))
  await tells(1)
  process.kill(pids[1] ?? 0, 'SIGKILL')
  await tells(2)
  await end()
})

t.test('a subscription to configuration ends also while there is no daprd', async t => {
  const {daprd, pids, folder, gone} = open(t)
  const config = resource('config', 'configuration.azure.appconfig')
  daprd.follow([config])
  const store = (await daprd.open(config)) as ConfigurationStore
  const end = await store.subscribe([], {}, () => undefined)
  writeFileSync(join(folder, 'down'), '')
  process.kill(pids[0] ?? 0, 'SIGKILL')
  await gone
  await end()
})

t.test('a subscription to configuration ends also while the next daprd refuses it', async t => {
  const {daprd, pids, folder} = open(t)
  const config = resource('config', 'configuration.azure.appconfig')
  daprd.follow([config])
  const store = (await daprd.open(config)) as ConfigurationStore
  const end = await store.subscribe([], {}, () => undefined)
  writeFileSync(join(folder, 'refused'), '')
  daprd.follow([config, resource('two')])
  await daprd.open(resource('two'))
  while (!existsSync(join(folder, `subscribed-${pids[1]}`))) await pause(5)
  await end()
})

t.test('what has changed in a configuration while there was no daprd is said', async t => {
  const {daprd, pids, folder} = open(t)
  const config = resource('config', 'configuration.azure.appconfig')
  daprd.follow([config])
  const store = (await daprd.open(config)) as ConfigurationStore
  const told = Promise.withResolvers<ConfigurationItems>()
  await store.subscribe([], {}, told.resolve)
  writeFileSync(join(folder, 'items'), '{"k":{"value":"new"}}')
  process.kill(pids[0] ?? 0, 'SIGKILL')
  t.strictSame(await told.promise, {k: {value: 'new', version: '', metadata: {}}})
})

t.test('a daprd that takes connections, and does not answer, is given up', async t => {
  const {daprd} = open(t, 500)
  daprd.follow([resource('mute')])
  await t.rejects(daprd.open(resource('mute')), {message: /was not ready within 0\.5 s/})
})

t.test('one that does not answer does not hold up the end of its app', async t => {
  const {daprd, pids, folder} = open(t)
  daprd.follow([resource('mute')])
  while (!existsSync(join(folder, 'asked'))) await pause(5)
  await daprd.close()
  t.throws(() => process.kill(pids[0] ?? 0, 0), {code: 'ESRCH'})
})

t.test('one that does not end at SIGTERM is killed at once where the run ends without a grace period', async t => {
  const {daprd, pids, endNow} = open(t, 60_000, 600_000)
  daprd.follow([resource('stubborn')])
  await daprd.open(resource('stubborn'))
  const closed = daprd.close()
  await new Promise(setImmediate)
  endNow()
  await closed
  t.throws(() => process.kill(pids[0] ?? 0, 0), {code: 'ESRCH'})
})

/** Asks until it is answered. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const found = await ask().catch(() => undefined)
    if (found !== undefined) return found
    await pause(20)
  }
}

t.test('a daprd that could not start, as a server was not there, is started by a later call', async t => {
  const {daprd, pids, folder} = open(t)
  const lazy = {...resource('one'), isDefault: true}
  writeFileSync(join(folder, 'down'), '')
  daprd.follow([lazy])
  await t.rejects(daprd.open(lazy), {message: /^daprd ended before it was ready/})
  await t.rejects(daprd.open(lazy), {message: /^daprd ended before it was ready/}, 'at once it is not tried again')
  t.equal(pids.length, 1)
  rmSync(join(folder, 'down'))
  t.ok(await answered(async () => daprd.open(lazy)))
  t.equal(pids.length, 2)
})

t.test(
  'a component that could not be opened is tried again, also after another daprd has begun without it',
  async t => {
    const {daprd, pids, folder, gone} = open(t)
    const [one, lazy] = [resource('one'), {...resource('two'), isDefault: true}]
    daprd.follow([one, lazy])
    await daprd.open(one)
    writeFileSync(join(folder, 'down'), '')
    await t.rejects(daprd.open(lazy), {message: /^daprd ended before it was ready/})
    rmSync(join(folder, 'down'))
    process.kill(pids[0] ?? 0, 'SIGKILL')
    await gone
    await daprd.open(one)
    t.ok(await answered(async () => daprd.open(lazy)))
  }
)

t.test('components that are edited after a daprd could not start are tried once', async t => {
  const {daprd, pids, folder} = open(t)
  writeFileSync(join(folder, 'down'), '')
  daprd.follow([resource('one')])
  await t.rejects(daprd.open(resource('one')), {message: /^daprd ended before it was ready/})
  const later = performance.now() + 60_000 // when a call would start it again
  t.teardown(() => mock.restoreAll())
  mock.method(performance, 'now', () => later)
  daprd.follow([resource('two')])
  await t.rejects(daprd.open(resource('two')), {message: /^daprd ended before it was ready/})
  t.equal(pids.length, 2)
})

t.test('components that are edited while daprd starts are tried once', async t => {
  const {daprd, pids, folder} = open(t)
  daprd.follow([resource('slow')])
  while (pids.length < 1) await new Promise(setImmediate)
  daprd.follow([resource('slow'), resource('broken')])
  writeFileSync(join(folder, 'go'), '')
  while (pids.length < 2) await new Promise(setImmediate)
  const later = performance.now() + 30_000
  t.teardown(() => mock.restoreAll())
  mock.method(performance, 'now', () => later)
  await t.rejects(daprd.open(resource('broken')), {message: /^daprd ended before it was ready/})
  t.equal(pids.length, 2)
})

t.test('a subscription to configuration that the next daprd refuses at first continues there', async t => {
  const {daprd, pids, lines, folder} = open(t)
  const config = resource('config', 'configuration.azure.appconfig')
  daprd.follow([config])
  const store = (await daprd.open(config)) as ConfigurationStore
  let told: ConfigurationItems | undefined
  await store.subscribe([], {}, items => (told = items))
  writeFileSync(join(folder, 'refused'), '')
  daprd.follow([config, resource('two')])
  await daprd.open(resource('two'))
  const subscribed = join(folder, `subscribed-${pids[1]}`)
  const seen = async (): Promise<true | undefined> => (existsSync(subscribed) ? true : undefined)
  for (const _ of ['at once', 'later']) {
    await answered(seen)
    rmSync(subscribed)
  }
  rmSync(join(folder, 'refused'))
  // it is not known which of its questions comes first: each change is told, and has no effect before the one that is answered
  const change = async (): Promise<ConfigurationItems | undefined> => {
    process.kill(pids[1] ?? 0, 'SIGUSR2')
    return told
  }
  t.match(await answered(change), {k: {value: `${pids[1]}`}})
  const levels = lines.flatMap(line => (line.includes('cannot continue yet') ? line.split(':', 1) : []))
  t.strictSame(levels.slice(0, 2), ['error', 'debug'], 'once it is an error')
})

/** A daprd that reads, and the topics that the n-th process got. */
async function reading(t: Test) {
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

t.test('a topic that an app reads from now on is read though daprd cannot be replaced at first', async t => {
  const {pids, folder, add, topicsOf} = await reading(t)
  add('first')
  while ((await topicsOf(-1)).length === 0) await pause(5)
  writeFileSync(join(folder, 'down'), '')
  const before = pids.length
  add('second')
  while (pids.length === before) await pause(5)
  while (isThere(pids.at(-1))) await pause(5)
  rmSync(join(folder, 'down'))
  while ((await topicsOf(-1)).length < 2) await pause(5)
  t.strictSame(await topicsOf(-1), ['first', 'second'])
})

t.test('a component that cannot be opened keeps no topic of another one from being read', async t => {
  const {daprd, add, topicsOf} = await reading(t)
  const broken = {...resource('broken'), isDefault: true}
  daprd.follow([resource('reads'), broken])
  await t.rejects(daprd.open(broken), {message: /^daprd ended before it was ready/})
  add('first')
  while ((await topicsOf(-1)).length === 0) await pause(5)
  t.strictSame(await topicsOf(-1), ['first'])
})

t.test('topics are read again by a daprd that has ended too often, once it can start', async t => {
  const {pids, folder, warned, add, topicsOf} = await reading(t)
  add('first')
  while ((await topicsOf(-1)).length === 0) await pause(5)
  writeFileSync(join(folder, 'down'), '')
  process.kill(pids.at(-1) ?? 0, 'SIGKILL')
  while (!warned.some(text => text.includes('times in a row'))) await pause(5)
  // one that has begun before may live, as it looks for this file later
  rmSync(join(folder, 'down'))
  t.strictSame(await topicsOf(-1), ['first'])
})

function isThere(pid = 0): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
