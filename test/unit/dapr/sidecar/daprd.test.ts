import {once} from 'node:events'
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import net from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {componentType} from '../../../../src/dapr/components/block-types.ts'
import {isDaprType} from '../../../../src/files/resources/component-types.ts'
import t from 'tap'
import type {AppPlan} from '../../../../src/model/plan.ts'
import {isForDaprd, daprdUseOf} from '../../../../src/files/resources/component-support.ts'
import type {ComponentResource} from '../../../../src/files/resources/components.ts'
import type {BindingEvent} from '../../../../src/dapr/components/binding.ts'
import {commandLine, daprdVariables} from '../../../../src/dapr/sidecar/daprd/daprd.ts'
import {findDaprd, isFrom} from '../../../../src/dapr/sidecar/daprd/find-daprd.ts'
import {holdMsOf} from '../../../../src/dapr/components/daprd/readers.ts'
import {AppListener, type AppListenerOptions} from '../../../../src/dapr/sidecar/daprd/app-listener.ts'
import {entryOf} from '../../../../src/dapr/sidecar/daprd/daprd-process.ts'
import {bindingAt, componentsText, neededOf} from '../../../../src/dapr/sidecar/daprd/resource-files.ts'

const PLACE = {file: 'a.yaml', line: 1, column: 1, source: ''}

const resource = (name: string, type: string, values: Readonly<Record<string, string>> = {}): ComponentResource => ({
  name,
  type,
  isOfDapr: isDaprType(type),
  capabilities: componentType(type)?.capabilities,
  namespace: '',
  scopes: [],
  version: 'v1',
  properties: Object.entries(values).map(([key, value]) => ({
    name: key,
    value,
    secret: undefined,
    envRef: '',
    place: PLACE
  })),
  initTimeoutMs: 5000,
  ignoresErrors: false,
  secretStore: '',
  isDefault: false,
  place: PLACE,
  typePlace: PLACE
})

t.test('versions: what has no number counts as new', async t => {
  for (const version of ['1.12.0', 'v1.18.4', '2.0', 'edge', '1.13.0-rc.2']) t.ok(isFrom(version, [1, 12]), version)
  for (const version of ['1.11.6', '0.9.0', 'v1.0.0']) t.notOk(isFrom(version, [1, 12]), version)
})

t.test('a line of daprd keeps level, text, scope and fields; a stack is an error', async t => {
  const line = {
    app_id: 'a',
    instance: 'i',
    level: 'warning',
    msg: 'm',
    scope: 's',
    time: 't',
    type: 'log',
    ver: '1',
    n: 1
  }
  t.same(entryOf(JSON.stringify(line), '1.13.5'), {
    level: 'warn',
    message: 'm',
    scope: 's',
    fields: {n: 1, daprd: '1.13.5'}
  })
  t.match(entryOf('panic: runtime error', '1.13.5'), {level: 'error', message: 'panic: runtime error'})
  for (const line of ['5', 'null', '[]']) t.match(entryOf(line, '1.13.5'), {level: 'error', message: line})
})

const held = (type: string, values?: Readonly<Record<string, string>>): number =>
  holdMsOf(resource('bus', type, values))

t.test('a message is held for less than the broker waits', async t => {
  t.equal(held('pubsub.pulsar'), 54_000)
  t.equal(held('pubsub.redis', {processingTimeout: '15s'}), 13_500)
  t.equal(held('pubsub.redis', {PROCESSINGTIMEOUT: '2000'}), 1800)
  t.equal(held('pubsub.redis', {processingTimeout: '0'}), 54_000)
  t.equal(held('pubsub.aws.snssqs', {messageVisibilityTimeout: '30'}), 27_000)
  t.equal(held('pubsub.gcp.pubsub', {ackDeadline: 'nonsense'}), 18_000)
})

t.test('daprd gets its own components, and the secret stores that they name', async t => {
  const vault = resource('vault', 'secretstores.local.file', {secretsFile: 'a.json'})
  const bus: ComponentResource = {
    ...resource('bus', 'pubsub.pulsar', {host: 'localhost'}),
    secretStore: 'vault',
    properties: [
      {name: 'host', value: 'localhost', secret: undefined, envRef: '', place: PLACE},
      {name: 'token', value: '', secret: {name: 'a', key: 'b'}, envRef: '', place: PLACE},
      {name: 'other', value: '', secret: undefined, envRef: 'OTHER', place: PLACE}
    ]
  }
  const all = [resource('store', 'state.in-memory'), bus, vault]
  const needed = neededOf([bus], all)
  t.same(needed, [vault, bus])
  const documents = componentsText(needed)
    .split('\n---\n')
    .map(text => JSON.parse(text) as unknown)
  t.match(documents[1], {
    kind: 'Component',
    metadata: {name: 'bus'},
    spec: {
      type: 'pubsub.pulsar',
      initTimeout: '5000ms',
      metadata: [
        {name: 'host', value: 'localhost'},
        {name: 'token', secretKeyRef: {name: 'a', key: 'b'}},
        {name: 'other', envRef: 'OTHER'}
      ]
    },
    auth: {secretStore: 'vault'}
  })
})

t.test('a binding’s events come to its route, or its name', async t => {
  const all = [
    resource('tick', 'bindings.cron', {route: '/a/b'}),
    resource('mail', 'bindings.smtp'),
    resource('x', 'state.x')
  ]
  t.equal(bindingAt('a/b', all), 'tick')
  t.equal(bindingAt('mail', all), 'mail')
  t.equal(bindingAt('tick', all), undefined)
  t.equal(bindingAt('x', all), undefined)
})

t.test('which components are daprd’s', async t => {
  const types = ['pubsub.pulsar', 'state.in-memory', 'middleware.http.oauth2', 'pubsub.nothing', 'crypto.dapr.jwks']
  const of = (use: 'needed' | 'always' | 'never'): readonly string[] =>
    types.filter(type => isForDaprd(resource('each', type), use))
  t.same(of('needed'), ['pubsub.pulsar'])
  t.same(of('always'), ['pubsub.pulsar', 'state.in-memory'])
  t.same(of('never'), [])
  t.equal(daprdUseOf({}), 'needed')
  t.equal(daprdUseOf({PILLION_DAPRD: 'Always'}), 'always')
  t.equal(daprdUseOf({PILLION_DAPRD: 'never'}), 'never')
})

const plan = {
  id: 'shop',
  sidecar: {maxBodyBytes: 0, readBufferBytes: 8192, logLevel: 'debug'},
  stop: {timeoutMs: 500}
} as unknown as AppPlan

const line = (version: string): readonly string[] =>
  commandLine({
    program: {path: '/d/daprd', version},
    plan,
    ports: {httpPort: 1, grpcPort: 2},
    appPort: 3,
    folder: {path: '/f', resources: '/f/resources', config: '/f/config.yaml'}
  })

t.test('the command line: each flag a word of its own; the scheduler only where daprd knows it', async t => {
  t.notOk(line('1.13.5').includes('--scheduler-host-address'))
  t.same(line('1.14.0').slice(line('1.14.0').indexOf('--placement-host-address')).slice(0, 4), [
    '--placement-host-address',
    '',
    '--scheduler-host-address',
    ''
  ])
  t.equal(
    line('1.13.5').join(' '),
    '/d/daprd --app-id shop --app-protocol http --app-port 3 --config /f/config.yaml --dapr-http-port 1 --dapr-grpc-port 2 --dapr-http-max-request-size 1024 --dapr-http-read-buffer-size 8 --dapr-graceful-shutdown-seconds 1 --log-level debug --placement-host-address  --resources-path /f/resources --unix-domain-socket /f --enable-metrics=false --log-as-json'
  )
})

t.test('its environment is ours with our marks, but for tokens', async t => {
  t.same(
    daprdVariables({
      env: {A: 'a', B: undefined, DAPR_API_TOKEN: 'x', APP_API_TOKEN: 'y'},
      run: 'r',
      life: 'l',
      token: 't'
    }),
    {A: 'a', PILLION_RUN: 'r', PILLION_LIFE: 'l', APP_API_TOKEN: 't'}
  )
})

t.test('the listener that daprd takes for the app reads nothing of who has not its token', async t => {
  const listener = new AppListener({warn: () => undefined} as unknown as AppListenerOptions)
  const port = await listener.open()
  t.teardown(() => listener.close())
  const socket = net.connect(port, '127.0.0.1')
  socket.write('POST /dapr/config HTTP/1.1\r\nHost: app\r\nContent-Length: 1000000\r\n\r\n{')
  const [answer] = (await once(socket, 'data')) as [Buffer]
  t.match(answer.toString(), /^HTTP\/1\.1 403 /)
  socket.destroy()
})

t.test('metadata that daprd sends in headers keep their characters', async t => {
  const got: unknown[] = []
  const options = {
    bindingAt: (path: string) => path,
    bindingReader: () => async (event: BindingEvent) => {
      got.push(event.metadata)
      return 'done' as const
    },
    warn: (text: string) => t.fail(text)
  }
  const listener = new AppListener(options as unknown as AppListenerOptions)
  const port = await listener.open()
  t.teardown(() => listener.close())
  const socket = net.connect(port, '127.0.0.1')
  const head = `POST /in HTTP/1.1\r\nHost: app\r\nDapr-Api-Token: ${listener.token}\r\nContent-Length: 0\r\n`
  socket.write(`${head}__key: Straße 東\r\n\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  t.match(answer.toString(), /^HTTP\/1\.1 200 /)
  t.strictSame(got, [{__key: 'Straße 東'}])
  socket.destroy()
})

t.test('a binding may be named configuration: daprd asks for it, and its events come', async t => {
  const options = {
    bindingAt: (path: string) => (path === 'configuration' ? path : undefined),
    bindingReader: () => async () => 'done' as const,
    wantsBinding: async () => true,
    warn: (text: string) => t.fail(text)
  }
  const listener = new AppListener(options as unknown as AppListenerOptions)
  const port = await listener.open()
  t.teardown(() => listener.close())
  for (const method of ['OPTIONS', 'POST']) {
    const headers = {'dapr-api-token': listener.token}
    const {status} = await fetch(`http://127.0.0.1:${port}/configuration`, {method, headers})
    t.equal(status, 200, method)
  }
})

t.test('a daprd that was too old is found once it is replaced', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'dapr-'))
  t.teardown(() => rmSync(folder, {recursive: true}))
  const path = join(folder, 'bin', 'daprd')
  const install = (version: string): void => writeFileSync(path, `#!/bin/sh\necho ${version}\n`, {mode: 0o755})
  mkdirSync(join(folder, 'bin'))
  install('1.11.0')
  t.match(await findDaprd(folder, ''), /is version 1\.11\.0, and 1\.12 or later is needed/)
  install('1.13.5')
  t.match(await findDaprd(folder, ''), {path, version: '1.13.5'})
})

t.test('a component of daprd is at the port that this copy has in place of the one in its file', async t => {
  const store = resource('store', 'state.mongodb', {host: 'localhost:27017', databaseName: 'shop'})
  const [text = ''] = componentsText([{...store, moved: [[27_017, 37_017]]}]).split('\n---\n')
  t.match(JSON.parse(text), {spec: {metadata: [{name: 'host', value: 'localhost:37017'}, {value: 'shop'}]}})
})
