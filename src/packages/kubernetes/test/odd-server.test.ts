import {spawnSync} from 'node:child_process'
import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import t, {type Test} from 'tap'
import {FakeApiServer, type Answer} from '../../../../test/rig/fake-api-server.ts'
import {UserError} from '../../../model/errors.ts'
import {startOf} from '../../../platform/process-table.ts'
import {ClusterClient} from '../cluster/api-client.ts'
import {openAccess} from '../cluster/kubeconfig.ts'
import {ObjectStore} from '../cluster/object-store.ts'
import {hasNativeSidecars} from '../cluster/check.ts'
import {watch} from '../cluster/watch.ts'

const SECRET = {apiVersion: 'v1', kind: 'Secret', metadata: {name: 'a', namespace: 'shop', labels: {}}}
/** JSON that is nothing of what was asked for. */
const ODD: readonly unknown[] = [
  null,
  [],
  'x',
  7,
  {},
  ...['metadata', 'items', 'versions', 'resources'].map(key => ({[key]: null}))
]
const LISTS: readonly unknown[] = ['items', 'versions', 'resources'].flatMap(key => [
  {[key]: 'x'},
  {[key]: [null]},
  {[key]: [7]}
])

t.test('whatever an API server sends in the place of an answer is said in words', async t => {
  const server = new FakeApiServer()
  await server.open()
  const folder = t.testdir({config: server.kubeconfig()})
  const client = new ClusterClient(
    openAccess({context: '', namespace: ''}, {KUBECONFIG: join(folder, 'config')}, folder)
  )
  t.teardown(async () => {
    client.close()
    await server.close()
  })
  const store = new ObjectStore(client)
  const handler = {changed: () => undefined, gone: () => undefined}
  const asked: Readonly<Record<string, () => Promise<unknown>>> = {
    versions: async () => store.lookUpDapr(),
    items: async () => store.list('v1/Secret', ''),
    metadata: async () => store.find(SECRET),
    'metadata of what is applied': async () => store.apply(SECRET),
    'items to watch': async () =>
      watch(client, {path: '/api/v1/namespaces/shop/pods', labels: '', signal: new AbortController().signal}, handler)
  }
  for (const body of [...ODD, ...LISTS]) {
    server.answer = () => ({code: 200, body: JSON.stringify(body)})
    const told = `${server.url} is no Kubernetes API server: it answers `
    for (const [what, ask] of Object.entries(asked)) {
      const error = await ask().then(
        () => undefined,
        (reason: unknown) => reason
      )
      const text = `${what}: ${JSON.stringify(body)}`
      t.ok(error instanceof UserError && error.message.startsWith(told), text)
      t.match(error, {message: new RegExp(` without ${what.split(' ', 1)[0] ?? ''}$`)}, text)
    }
    t.equal(await hasNativeSidecars(client), false)
  }
  server.answer = ({path}) =>
    path.endsWith('/v1alpha1') ? {code: 200, body: {resources: [{}, {name: 7, kind: null}]}} : undefined
  t.equal(await store.lookUpDapr(), false, 'kinds without a name are none')
})

t.test(
  'a server that is away is asked once after a second Ctrl-C, also if the run sets its patience later',
  async t => {
    const server = new FakeApiServer()
    await server.open()
    let asked = 0
    server.answer = () => {
      asked++
      return 'gone'
    }
    const folder = t.testdir({config: server.kubeconfig()})
    const client = new ClusterClient(
      openAccess({context: '', namespace: ''}, {KUBECONFIG: join(folder, 'config')}, folder)
    )
    t.teardown(async () => {
      client.close()
      await server.close()
    })
    client.hurry()
    client.outageMs = 3000
    await t.rejects(client.json('GET', '/version'), {message: /^cannot reach the API server/})
    t.equal(asked, 1)
  }
)

/** A client of a server that answers as the test says. */
async function openClient(t: Test) {
  const server = new FakeApiServer()
  await server.open()
  const folder = t.testdir({config: server.kubeconfig()})
  const client = new ClusterClient(
    openAccess({context: '', namespace: ''}, {KUBECONFIG: join(folder, 'config')}, folder)
  )
  t.teardown(async () => {
    client.close()
    await server.close()
  })
  return {server, client, config: join(folder, 'config')}
}

t.test('what passes by itself is asked again: a proxy that misses its server, and a server that says when', async t => {
  const {server, client} = await openClient(t)
  for (const [path, answer] of [
    ['/apis/dapr.io', {code: 502}],
    ['/apis/dapr.io/v1alpha1', {code: 504}],
    ['/version', {code: 500, headers: {'retry-after': '0'}}],
    ['/api/v1/namespaces/shop/pods', {code: 500, body: {details: {retryAfterSeconds: 1}}}]
  ] as const) {
    let asked = 0
    server.answer = () => (++asked === 1 ? answer : undefined)
    await client.json('GET', path)
    t.equal(asked, 2, path)
  }
  let count = 0
  server.answer = () => ({code: count++ === 0 ? 500 : 502})
  await t.rejects(client.json('GET', '/version'), {code: 500}, 'else it is an answer')
  client.hurry()
  await t.rejects(client.json('GET', '/version'), {code: 502}, 'a second Ctrl-C waits for no proxy')
  t.equal(count, 2)
})

t.test('a server that fails for a moment during a run is asked again, but for what is applied', async t => {
  const {server, client} = await openClient(t)
  const pods = '/api/v1/namespaces/shop/pods'
  server.save(`${pods}/a`, {metadata: {name: 'a'}})
  server.answer = ({nth}) => (nth === 1 ? {code: 500} : undefined)
  await t.rejects(client.json('GET', '/version'), {code: 500}, 'before the run it is told at once')
  client.outageMs = 3000
  t.match(await client.json('GET', pods), {items: [{}]})
  await client.json('DELETE', `${pods}/a`)
  t.notOk(server.objects.has(`${pods}/a`))
  await t.rejects(client.json('PATCH', `${pods}/a`, {body: {metadata: {}}}), {code: 500})
  client.hurry()
  await t.rejects(client.json('GET', '/apis/dapr.io'), {code: 500}, 'a second Ctrl-C waits for nothing')
})

t.test('a second Ctrl-C ends the pause before a proxy is asked again', {timeout: 8000}, async t => {
  const {server, client} = await openClient(t)
  const first = Promise.withResolvers<void>()
  server.answer = () => {
    first.resolve()
    return {code: 502, headers: {'retry-after': '10'}}
  }
  const asked = t.rejects(client.json('GET', '/version'), {code: 502})
  await first.promise
  await sleep(300) // the pause has begun: were it later, this would show nothing, and fail nothing
  client.hurry()
  await asked
})

t.test('who logs in again during a run is let in; credentials for another server stay where they are', async t => {
  const {server, client, config} = await openClient(t)
  await client.json('GET', '/version')
  server.answer = ({token}) => (token === 'new' ? undefined : {code: 401})
  writeFileSync(config, server.kubeconfig({token: 'new'}, {server: 'http://127.0.0.1:1'}))
  await t.rejects(client.json('GET', '/version'), {code: 401})
  writeFileSync(config, 'half of a f')
  await t.rejects(client.json('GET', '/version'), {code: 401})
  writeFileSync(config, server.kubeconfig({token: 'new'}))
  t.match(await client.json('GET', '/version'), {major: '1'})
})

t.test('a token is read from its file, as often as it is needed', async t => {
  const {server, config} = await openClient(t)
  const folder = dirname(config)
  const kubeconfig = JSON.parse(server.kubeconfig({token: 'older', tokenFile: 'token'})) as {users: unknown[]}
  kubeconfig.users.push({name: 'other', user: {tokenFile: 'gone'}})
  writeFileSync(config, JSON.stringify(kubeconfig))
  writeFileSync(join(folder, 'token'), 'first\n')
  const client = new ClusterClient(openAccess({context: '', namespace: ''}, {KUBECONFIG: config}, folder))
  t.teardown(() => client.close())
  for (const valid of ['first', 'second']) {
    server.answer = ({token}) => (token === valid ? undefined : {code: 401})
    writeFileSync(join(folder, 'token'), `${valid}\n`)
    t.match(await client.json('GET', '/version'), {major: '1'})
  }
  rmSync(join(folder, 'token'))
  await t.rejects(client.json('GET', '/version'), {
    message: `cannot use the credentials of the Kubernetes context "kind-fake": cannot read ${folder}/token: ENOENT`
  })
})

t.test('a program that gives credentials runs once at a time, however many requests need new ones', async t => {
  const {server, config} = await openClient(t)
  const folder = dirname(config)
  const status = '{"kind":"ExecCredential","status":{"token":"\'$(cat token)\'"}}'
  const script = `cd ${folder}; mkdir running || touch twice; sleep 0.2; echo '${status}'; rmdir running`
  writeFileSync(join(folder, 'token'), 'old')
  writeFileSync(config, server.kubeconfig({exec: {command: 'sh', args: ['-c', script]}}))
  const client = new ClusterClient(openAccess({context: '', namespace: ''}, {KUBECONFIG: config}, folder))
  t.teardown(() => client.close())
  const ask = async (): Promise<unknown> => client.json('GET', '/version')
  await Promise.all(Array.from({length: 5}, ask))
  let valid = 'new'
  server.answer = ({token}) => (token === valid ? undefined : {code: 401})
  for (valid of ['new', 'newer']) {
    writeFileSync(join(folder, 'token'), valid)
    for (const answer of await Promise.all(Array.from({length: 20}, ask))) t.match(answer, {major: '1'})
  }
  t.notOk(existsSync(join(folder, 'twice')))
})

t.test('an answer that breaks off is asked for again, as one that does not come', async t => {
  const {server, client} = await openClient(t)
  server.answer = ({nth}) => (nth === 1 ? 'cut' : undefined)
  await t.rejects(client.json('GET', '/version'), {message: /^cannot reach the API server/})
  client.outageMs = 3000
  server.answer = ({path, nth}) => (path === '/apis/dapr.io' && nth === 1 ? 'cut' : undefined)
  t.match(await client.json('GET', '/apis/dapr.io'), {versions: [{}]})
})

const page = (name: string, metadata: object): Answer => ({
  code: 200,
  body: {metadata, items: [{metadata: {uid: name, name, resourceVersion: '1'}}]}
})

t.test('a list that breaks off between its pages is read again', async t => {
  const {server, client} = await openClient(t)
  const watched = Promise.withResolvers<void>()
  let pages = 0
  server.answer = ({path, query}) => {
    if (!path.endsWith('/pods')) return undefined
    if (query.get('resourceVersion') === '5') return {code: 410}
    if (query.has('watch')) watched.resolve()
    if (query.has('watch')) return 'never'
    if (query.has('continue')) return ++pages === 1 ? {code: 500} : page('b', {resourceVersion: '7'})
    return page('a', seen.length === 0 ? {resourceVersion: '5'} : {resourceVersion: '7', continue: 'more'})
  }
  const seen: string[] = []
  const end = new AbortController()
  t.teardown(() => end.abort())
  await watch(
    client,
    {path: '/api/v1/namespaces/shop/pods', labels: '', signal: end.signal},
    {changed: ({metadata}) => seen.push(metadata.name), gone: () => undefined}
  )
  await watched.promise
  t.same(seen, ['a', 'b'])
})

t.test('a watch that the server refuses to go on with lists again', async t => {
  const {server, client} = await openClient(t)
  const [watched, end] = [Promise.withResolvers<void>(), new AbortController()]
  t.teardown(() => end.abort())
  let version = 900 // a server that was restored has older ones
  server.answer = ({path, query}) => {
    if (!path.endsWith('/pods')) return undefined
    if (!query.has('watch')) return page(`of ${version}`, {resourceVersion: `${version}`})
    if (query.get('resourceVersion') === '5') watched.resolve()
    if (query.get('resourceVersion') === '5') return 'never'
    version = 5
    return {code: 500}
  }
  const seen: string[] = []
  await watch(
    client,
    {path: '/api/v1/namespaces/shop/pods', labels: '', signal: end.signal},
    {changed: ({metadata}) => seen.push(metadata.name), gone: ({metadata}) => seen.push(`no ${metadata.name}`)}
  )
  await watched.promise
  t.same(seen, ['of 900', 'of 5', 'no of 900'])
})

t.test('a list that comes whole, however long, is read; one that does not end is none', async t => {
  const {server, client} = await openClient(t)
  const items = Array.from({length: 200_000}, () => ({metadata: {}}))
  server.answer = () => ({code: 200, body: {metadata: {resourceVersion: '5'}, items}})
  const {items: read, version} = await client.list('/api/v1/pods')
  t.same([read.length, version], [200_000, '5'])
  server.answer = () => page('a', {continue: 'more'})
  await t.rejects(client.list('/api/v1/pods'), {message: /with a list that does not end$/})
})

t.test('a program that gives credentials has no input to wait for without a terminal', {timeout: 8000}, async t => {
  const {server, config} = await openClient(t)
  const status = '{"kind":"ExecCredential","status":{"token":"a"}}'
  writeFileSync(config, server.kubeconfig({exec: {command: 'sh', args: ['-c', `read line; echo '${status}'`]}}))
  const client = new ClusterClient(openAccess({context: '', namespace: ''}, {KUBECONFIG: config}, dirname(config)))
  t.teardown(() => client.close())
  t.match(await client.json('GET', '/version'), {major: '1'})
})

t.test('a list whose place the server has forgotten between its pages is read at once', async t => {
  const {server, client} = await openClient(t)
  server.answer = ({query}) => {
    if (query.has('continue')) return {code: 410}
    return query.has('limit') ? page('a', {resourceVersion: '7', continue: 'more'}) : page('b', {resourceVersion: '8'})
  }
  const {items, version} = await client.list<{readonly metadata: {readonly name: string}}>(
    '/api/v1/namespaces/shop/pods'
  )
  t.same([items.map(({metadata}) => metadata.name), version], [['b'], '8'])
  server.answer = () => ({code: 410})
  await t.rejects(client.list('/api/v1/namespaces/shop/pods'), {code: 410})
})

/** A client of a server, whose user is what a program says. */
async function withProgram(t: Test, exec: object, user: object = {}) {
  const {server, config} = await openClient(t)
  const folder = dirname(config)
  writeFileSync(config, server.kubeconfig({exec: {apiVersion: 'client.authentication.k8s.io/v1', ...exec}, ...user}))
  const client = new ClusterClient(openAccess({context: '', namespace: ''}, {KUBECONFIG: config}, folder))
  t.teardown(() => client.close())
  return {server, client, folder}
}

t.test('a program that gives no credentials holds up nothing after a second Ctrl-C', {timeout: 20_000}, async t => {
  const {client, folder} = await withProgram(t, {command: './hangs'})
  const started = join(folder, 'started')
  const script = `#!/bin/sh\nsleep 30 &\necho $! >> '${started}'\nwait\n`
  writeFileSync(join(folder, 'hangs'), script, {mode: 0o755})
  const asked = t.rejects(client.json('GET', '/version'), {
    message: /hangs", which gives the credentials of the Kubernetes context "kind-fake", failed: it gave no answer$/
  })
  while (!existsSync(started)) await sleep(10)
  client.hurry()
  await asked
  // a request that waited for credentials fails, and the next one starts the program again
  await t.rejects(client.json('GET', '/version'), {message: /it gave no answer$/})
  const pids = readFileSync(started, 'utf8').trim().split('\n').map(Number)
  t.equal(pids.length, 2)
  while (pids.some(pid => startOf(pid) !== 0)) await sleep(10) // what it has started ends with it, not after its 30 s
})

t.test('a program that fails once during a run is asked again, but not after a second Ctrl-C', async t => {
  const {client, folder} = await withProgram(t, {command: './login'})
  const seen = join(folder, 'seen')
  const status = JSON.stringify({kind: 'ExecCredential', status: {token: 'x'}})
  const script = `#!/bin/sh\nif mkdir '${seen}'; then echo 'no network' >&2; exit 1; fi\necho '${status}'\n`
  writeFileSync(join(folder, 'login'), script, {mode: 0o755})
  await t.rejects(client.json('GET', '/version'), {message: /failed: no network$/}, 'before the run it is told at once')
  rmSync(seen, {recursive: true})
  client.outageMs = 3000
  t.match(await client.json('GET', '/version'), {major: '1'})
  client.access.forget()
  rmSync(seen, {recursive: true})
  client.hurry()
  await t.rejects(client.json('GET', '/version'), {message: /failed: no network$/})
})

t.test('a program is asked as kubectl asks it: by its path, and with what it has to know', async t => {
  const {server, client, folder} = await withProgram(t, {
    command: './bin/login',
    args: null,
    env: [{name: 'MORE', value: 'x'}],
    provideClusterInfo: true
  })
  mkdirSync(join(folder, 'bin'))
  const status = '{"kind":"ExecCredential","status":{"token":"a"}}'
  const script = `#!/bin/sh\necho "$MORE $KUBERNETES_EXEC_INFO" > ${folder}/seen\necho '${status}'\n`
  writeFileSync(join(folder, 'bin/login'), script, {mode: 0o755})
  t.match(await client.json('GET', '/version'), {major: '1'})
  const [more, info = ''] = readFileSync(join(folder, 'seen'), 'utf8').split(/ (.*)/s)
  t.equal(more, 'x')
  t.match(JSON.parse(info), {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: {interactive: false, cluster: {server: server.url}}
  })
})

t.test('a program that needs a terminal is not started without one', async t => {
  const {client} = await withProgram(t, {command: 'sh', args: ['-c', 'exit 0'], interactiveMode: 'Always'})
  await t.rejects(client.json('GET', '/version'), {message: /failed: it needs a terminal to ask at$/})
})

const WATCH = join(import.meta.dirname, '../cluster/watch.ts')

t.test('what a handler of a watch throws is a bug, and no cut', t => {
  const script = `import {Readable} from 'node:stream'
import {watch} from ${JSON.stringify(WATCH)}
process.on('uncaughtException', error => console.log('bug ' + error.message))
const end = new AbortController()
const object = (name, resourceVersion) => ({metadata: {uid: name, name, resourceVersion}})
const events = [object('b', '2'), object('c', '3')].map(each => JSON.stringify({type: 'ADDED', object: each}) + '\\n')
const client = {
  list: async () => ({items: [object('a', '1')], version: '1'}),
  open: async () => Object.assign(Readable.from(events.splice(0).map(each => Buffer.from(each))), {setTimeout() {}})
}
const changed = ({metadata: {name}}) => {
  console.log(name)
  if (name === 'c') end.abort()
  else throw new Error('of ' + name)
}
await watch(client, {path: '/', labels: '', signal: end.signal}, {changed, gone() {}})`
  const {stdout, stderr} = spawnSync(process.execPath, ['--input-type=module', '-e', script], {encoding: 'utf8'})
  t.equal(stdout, 'a\nbug of a\nb\nbug of b\nc\n', stderr)
  t.end()
})
