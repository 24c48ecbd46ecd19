import {mkdirSync, mkdtempSync, rmSync, symlinkSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {portReaders, unnamedPorts} from '../../../../src/model/port-readers.ts'
import type {AppPlan, Plan} from '../../../../src/model/plan.ts'
import {fixedPorts, isolatedPlan, movedPorts, portsAsked} from '../../../../src/proxy/ports/isolated-plan.ts'
import {usualPorts} from '../../../../src/proxy/ports/usual-ports.ts'
import {workPath} from '../../../../src/work/work-path.ts'

const SIDECAR = {httpPort: 0, grpcPort: 0, internalGrpcPort: 0, metricsPort: 0}

const appOf = (id: string, port: number, more: object = {}): AppPlan =>
  ({
    id,
    command: ['node', 'server.js'],
    env: {},
    channel: {port, autoPort: false, address: ''},
    ready: {kind: 'spawned', timeoutMs: 1},
    fixedPort: 0,
    sidecar: SIDECAR,
    ...more
  }) as unknown as AppPlan

const planOf = (...apps: readonly AppPlan[]): Plan => ({
  name: '',
  file: '/shop/dapr.yaml',
  shownAs: '',
  managerPort: 'none',
  apps
})

const MOVED = new Map([
  [3000, 20001],
  [5000, 20002],
  [3500, 20003]
])

const isolated = (command: readonly string[], env: Readonly<Record<string, string>> = {}): AppPlan | undefined =>
  isolatedPlan(planOf(appOf('a', 3000, {command, env})), MOVED).apps[0]

t.test('where a text names a port that moves, it names the other one', async t => {
  for (const [command, now] of [
    [
      ['node', 's.js', '--port', '3000'],
      ['node', 's.js', '--port', '20001']
    ],
    [
      ['x', '--port=3000', '-p', '5000'],
      ['x', '--port=20001', '-p', '20002']
    ],
    [
      ['x', '--http-port', '5000', '--count', '5000'],
      ['x', '--http-port', '20002', '--count', '5000']
    ],
    [
      ['python', '-m', 'http.server', '3000'],
      ['python', '-m', 'http.server', '20001']
    ],
    [
      ['flask', 'run', '-h', '0.0.0.0:3000'],
      ['flask', 'run', '-h', '0.0.0.0:20001']
    ],
    [
      ['java', '-Dserver.port=3000', '-jar', 'a.jar'],
      ['java', '-Dserver.port=20001', '-jar', 'a.jar']
    ],
    [
      ['sh', '-c', 'PORT=3000 exec x -p 3000 # 3000'],
      ['sh', '-c', 'PORT=20001 exec x -p 20001 # 3000']
    ],
    [
      ['docker', 'run', '--publish', '3000:5432', '-p', '127.0.0.1:5000:5000', '--publish=5000:53/udp', 'postgres'],
      ['docker', 'run', '--publish', '20001:5432', '-p', '127.0.0.1:20002:5000', '--publish=20002:53/udp', 'postgres']
    ],
    [
      ['podman', 'run', '-p', '5000:3000/tcp', '--volume', '3000:5000', 'postgres'],
      ['podman', 'run', '-p', '20002:3000/tcp', '--volume', '3000:5000', 'postgres']
    ],
    [
      ['sh', '-c', 'exec docker run --publish 3000:5000 -p=5000:5000 -p [::1]:3000:80 postgres'],
      ['sh', '-c', 'exec docker run --publish 20001:5000 -p=20002:5000 -p [::1]:20001:80 postgres']
    ],
    [
      ['x', 'http://shop.example:3000', 'v1.3000', ':30001'],
      ['x', 'http://shop.example:3000', 'v1.3000', ':30001']
    ]
  ] as const)
    t.strictSame(isolated(command)?.command, now, command.join(' '))
  t.strictSame(
    isolated(['x'], {
      PORT: '3000',
      MAX_ITEMS: '3000',
      DAPR: 'http://localhost:3500/v1.0',
      ASPNETCORE_URLS: 'http://+:3000;http://[::1]:5000',
      ADDR: ':3000',
      DB: 'postgres://localhost:5432/3000'
    })?.env,
    {
      PORT: '20001',
      MAX_ITEMS: '3000',
      DAPR: 'http://localhost:20003/v1.0',
      ASPNETCORE_URLS: 'http://+:20001;http://[::1]:20002',
      ADDR: ':20001',
      DB: 'postgres://localhost:5432/3000'
    }
  )
})

t.test('the ports of apps, sidecars, probes and the manager move; an app that we do not start stays', async t => {
  const sidecar = {...SIDECAR, httpPort: 3500, metricsPort: 5000}
  const plan: Plan = {
    ...planOf(
      appOf('a', 3000, {sidecar, ready: {kind: 'tcp', port: 5000, timeoutMs: 1}}),
      appOf('ide', 3000, {command: []}),
      appOf('far', 3000, {channel: {port: 3000, autoPort: false, address: '10.0.0.1'}}),
      appOf('auto', 3000, {channel: {port: 3000, autoPort: true, address: ''}})
    ),
    managerPort: 5000
  }
  t.strictSame([...fixedPorts(plan)], [3000, 5000, 3500])
  const {apps, managerPort} = isolatedPlan(plan, MOVED)
  t.match(apps, [
    {channel: {port: 20001}, sidecar: {httpPort: 20003, grpcPort: 0, metricsPort: 20002}, ready: {port: 20002}},
    {channel: {port: 3000}},
    {channel: {port: 3000}},
    {channel: {port: 3000}}
  ])
  t.equal(managerPort, 20002)
})

t.test('a copy has the same numbers each day, other ones than other copies, and keeps them over an edit', async t => {
  const plan = planOf(appOf('a', 3000), appOf('b', 5000))
  const moved = await movedPorts(plan)
  t.strictSame(await movedPorts(plan), moved)
  t.equal(new Set(moved.values()).size, 2)
  const others = await movedPorts({...plan, copy: 'pr-214'})
  t.notSame([...others.values()], [...moved.values()])
  const edited = await movedPorts(planOf(appOf('a', 3000), appOf('c', 7000)), moved)
  t.equal(edited.get(3000), moved.get(3000))
  t.ok(edited.has(7000))
})

t.test('a folder that is reached by a link is the same copy', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'ports-'))
  t.teardown(() => rmSync(folder, {recursive: true}))
  mkdirSync(join(folder, 'real'))
  symlinkSync('real', join(folder, 'link'))
  const [real, link] = ['real', 'link'].map(name => ({
    ...planOf(appOf('a', 3000)),
    file: join(folder, name, 'dapr.yaml')
  })) as [Plan, Plan]
  t.strictSame(await movedPorts(link), await movedPorts(real))
  const [usual, byLink] = [real, link].map(plan => plan.apps.map(usualPorts(plan)))
  t.strictSame(byLink, usual)
  const env = {XDG_STATE_HOME: folder}
  t.equal(workPath({env, plan: link}), workPath({env, plan: real}), 'its workflows are in one file')
})

t.test('an app that a run leaves out moves, too: it can be started later', async t => {
  const plan = {...planOf(appOf('a', 3000)), leftOut: [appOf('tools', 5000)]}
  const moved = await movedPorts(plan)
  t.strictSame([...moved.keys()], [3000, 5000])
  t.equal(isolatedPlan(plan, moved).leftOut?.[0]?.channel.port, moved.get(5000))
})

t.test('apps that nothing in the template tells their port are named', async t => {
  const plan = planOf(appOf('silent', 3000), appOf('told', 5000, {env: {MY_PORT: '5000'}}), appOf('other', 80))
  t.strictSame(portReaders(plan, isolatedPlan(plan, MOVED)), [{id: 'silent', from: 3000, to: 20001}])
  const common = {SHOP_URL: 'http://localhost:3000'}
  const shared = planOf(appOf('shop', 3000, {env: common}), appOf('cart', 5000, {env: {...common, PORT: '5000'}}))
  t.match(portReaders(shared, isolatedPlan(shared, MOVED)), [{id: 'shop'}], 'an address for all tells an app nothing')
})

const idsOf = (...apps: readonly AppPlan[]): readonly string[] => unnamedPorts(planOf(...apps), false).map(({id}) => id)

t.test('apps that are called at a number which stands nowhere in the template', async t => {
  const published = {host: '', number: 5100, inCode: 5100}
  const api = appOf('api', 0, {published})
  t.same(idsOf(api, appOf('web', 3000)), ['api'])
  t.same(idsOf(api, appOf('web', 3000, {env: {API: 'http://localhost:5100'}})), [])
  t.same(idsOf(api, appOf('web', 3000, {command: ['web', '--api', 'localhost:5100']})), [])
})

t.test('apps that containers call by name, with a number in a file', async t => {
  const redis = appOf('redis', 0, {
    command: ['docker', 'run', '--publish', '6379:6379', 'redis'],
    ready: {kind: 'tcp', port: 6379}
  })
  const proxy = (...words: string[]): AppPlan => appOf('proxy', 0, {command: ['docker', 'run', ...words, 'nginx']})
  t.same(idsOf(redis, proxy('--add-host', 'redis:host-gateway')), ['redis'])
  t.same(idsOf(redis, proxy('--add-host', 'other:host-gateway')), [])
})

t.test('the ports at which a ready command may ask', async t => {
  for (const [command, env, ports] of [
    [['pg_isready', '-p', '21010'], {}, [21_010]],
    [['pg_isready'], {}, [5432]],
    [['pg_isready'], {PGPORT: '7000'}, [7000]],
    [['sh', '-c', 'pg_isready -h 127.0.0.1 -p $PORT'], {}, []],
    [['sh', '-c', 'redis-cli -p 6380 ping'], {}, [6380]],
    [['nc', '-z', 'localhost', '9000'], {}, [9000]],
    [['curl', '--max-time', '3000', 'http://localhost:8080/ok'], {}, [8080]],
    [['test', '-f', 'ready'], {}, []]
  ] as const)
    t.same([...portsAsked(command, env)], ports, command.join(' '))
})
