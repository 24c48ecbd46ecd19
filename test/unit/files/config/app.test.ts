import {join} from 'node:path'
import t from 'tap'
import type {AppPlan} from '../../../../src/model/plan.ts'
import {resolveApp} from '../../../../src/files/config/app.ts'
import {noSettings} from '../../../../src/files/config/merge.ts'
import {failure, load, orders, type Files} from './shop.ts'

const appOf = (test: Parameters<typeof load>[0], lines: readonly string[], files: Files = {}): AppPlan => {
  const [app] = load(test, orders(...lines), {files}).plan.apps
  if (app === undefined) throw new Error('no app')
  return app
}

t.test('an app of which nothing is said has the defaults of a template that says nothing', async t => {
  const plain = resolveApp(noSettings('solo', '/shop'), {
    home: '/home/me',
    resources: {folders: ['/r'], configFile: '/c', defaultFolder: '/d'},
    s2i: undefined
  })
  t.match(plain, {id: 'solo', folder: '/shop', command: [], env: {}, fixedPort: 0, resources: {configFile: '/c'}})
  const {id, folder, resources, logs} = plain
  t.strictSame({...appOf(t, []), id, folder, resources, logs}, plain)
})

t.test('numbers that make no sense count as not said', async t => {
  const lines = [
    'appPort: -1',
    'daprHTTPPort: -5',
    'metricsPort: 0',
    'appMaxConcurrency: -1',
    'maxBodySize: -1',
    'readBufferSize: 0'
  ]
  t.match(appOf(t, [...lines, 'appHealthProbeInterval: -1', 'appHealthProbeTimeout: 0', 'appHealthThreshold: -3']), {
    channel: {port: 0, maxConcurrency: 0},
    sidecar: {httpPort: 0, metricsPort: 0, maxBodyBytes: 4_194_304, readBufferBytes: 4096},
    health: {intervalMs: 5000, timeoutMs: 500, threshold: 3}
  })
  t.equal(appOf(t, ['readBufferSize: 9Ei']).sidecar.readBufferBytes, 2 ** 30, 'no server takes a number beyond 2^53')
  t.equal(appOf(t, ['maxBodySize: 0']).sidecar.maxBodyBytes, 0, 'but a body of 0 bytes is one without limit')
})

t.test('a protocol is known in any case, and over TLS', async t => {
  for (const [lines, protocol] of [
    [['appProtocol: GRPC'], 'grpc'],
    [['appProtocol: h2c'], 'h2c'],
    [['appProtocol: grpc', 'appSSL: true'], 'grpcs'],
    [['appSSL: yes'], 'https'],
    [['appProtocol: h2c', 'appSSL: true'], 'h2c'],
    [['appProtocol: https', 'appSSL: false'], 'https']
  ] as const)
    t.equal(appOf(t, lines).channel.protocol, protocol, lines.join(', '))
})

t.test('an allocated port stands above appPort', async t => {
  t.match(appOf(t, ['appPort: 3000', 'autoPort: true']).channel, {port: 0, autoPort: true})
  t.match(appOf(t, ['appPort: 3000', 'autoPort: false']).channel, {port: 3000, autoPort: false})
})

t.test('a Daeploy service has a fixed port or a version, or its file and no port; it gets a free port', async t => {
  const s2i: Files = {orders: {'.s2i': {environment: 'APP_FILE=x.py'}}}
  const table: readonly (readonly [readonly string[], Files, number, object])[] = [
    [[], {}, 0, {port: 0, autoPort: false}],
    [['fixedPort: 9000'], {}, 9000, {port: 0, autoPort: true}],
    [['fixedPort: 9000', 'appPort: 9001'], {}, 9000, {port: 9001, autoPort: false}],
    [['version: 1.0.0'], {}, 8000, {port: 0, autoPort: true}],
    [['version: 0.0.0', 'appPort: 3'], {}, 8000, {port: 3, autoPort: false}],
    [[], s2i, 8000, {port: 0, autoPort: true}],
    [['appPort: 3000'], s2i, 0, {port: 3000, autoPort: false}]
  ]
  for (const [lines, files, fixedPort, channel] of table) {
    const app = appOf(t, lines, files)
    t.equal(app.fixedPort, fixedPort, lines.join(', '))
    t.match(app.channel, channel, lines.join(', '))
  }
})

t.test("the manager's port: as said, the usual one with a Daeploy service, else none", async t => {
  const portOf = (yaml: string): unknown => load(t, yaml).plan.managerPort
  t.equal(portOf(orders()), 'none')
  t.equal(portOf(orders('fixedPort: 8000')), 'usual')
  t.equal(portOf(`managerPort: 0\n${orders('fixedPort: 8000')}`), 0)
  t.equal(portOf(`managerPort: 7000\n${orders()}`), 7000)
})

t.test('paths of an app start in its folder', async t => {
  const {folder, sidecar, logs} = appOf(t, ['unixDomainSocket: ./sockets'])
  t.equal(sidecar.socketFolder, join(folder, 'sockets'))
  t.equal(logs.folder, join(folder, '.dapr/logs'))
  t.equal(appOf(t, ['unixDomainSocket: /tmp/x']).sidecar.socketFolder, '/tmp/x')
})

t.test('a command whose program is empty cannot be started', async t => {
  for (const command of ['[""]', '["", a]', '[" "]'])
    t.throws(() => appOf(t, [`command: ${command}`]), {
      message: 'Error starting Dapr and app ("orders"): exec: no command',
      stream: 'stdout',
      exitCode: 1,
      explanation: /command: /
    })
})

t.test('a command keeps its words, an empty one too', async t => {
  t.strictSame(appOf(t, ['command: [sh, ""]']).command, ['sh', ''])
  t.strictSame(appOf(t, ['command: []']).command, [])
  t.strictSame(appOf(t, ['command: [node, "a b", 3]']).command, ['node', 'a b', '3'])
})

t.test('an address that cannot be one is refused at its place; each counts once, without brackets', async t => {
  for (const [key, value] of [
    ['apiListenAddresses', '127.0.0.1,http://x'],
    ['apiListenAddresses', '127.0.0.1:3500'],
    ['appChannelAddress', 'http://x'],
    ['appChannelAddress', 'x:80']
  ] as const) {
    const {message, explanation} = failure(t, orders(`${key}: "${value}"`))
    t.equal(message, `Error getting apps from config file: ${key}: "${value.replace(/.*,/, '')}" is not an address`)
    t.match(explanation, /^dapr\.yaml:5:\d+\n.*\n +\^+\nexpected /)
  }
  const [app] = load(t, orders('apiListenAddresses: "[::1], 127.0.0.1,::1,"', 'appChannelAddress: "[::1]"')).plan.apps
  t.strictSame(app?.sidecar.listenAddresses, ['::1', '127.0.0.1'])
  t.equal(app?.channel.address, '::1')
})
