import {createServer, type AddressInfo, type Server} from 'node:net'
import {isDeepStrictEqual} from 'node:util'
import t, {type Test} from 'tap'
import {freePort} from '../../../rig/free-port.ts'
import {planOf} from '../../../rig/plan.ts'
import {claimPorts, type SidecarPorts} from '../../../../src/proxy/ports/claim.ts'
import {claimManagerPort} from '../../../../src/proxy/ports/manager-port.ts'
import {ownAppPorts} from '../../../../src/proxy/ports/usual-ports.ts'
import type {AppPlan, Plan} from '../../../../src/model/plan.ts'

const app = (
  id: string,
  sidecar: Partial<AppPlan['sidecar']> = {},
  channel: Partial<AppPlan['channel']> = {}
): AppPlan => {
  const plan = planOf({id})
  return {...plan, channel: {...plan.channel, ...channel}, sidecar: {...plan.sidecar, ...sidecar}}
}
const planIn = (folder: string, ...apps: AppPlan[]): Plan =>
  ({file: `/${process.pid}/${folder}/dapr.yaml`, shownAs: 'dapr.yaml', apps}) as unknown as Plan
const plan = (...apps: AppPlan[]): Plan => planIn('', ...apps)

const release = (ports: readonly SidecarPorts[]): void => {
  for (const {http, grpc, metrics} of ports) for (const server of [...http, ...grpc, ...metrics]) server.close()
}
const listening = async (t: Test, wanted = 0): Promise<number> => {
  const server: Server = createServer()
  await new Promise<void>(resolve => server.listen(wanted, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

t.test('every sidecar gets its own ports, bound on both loopback addresses', async t => {
  const ports = await claimPorts(plan(app('a'), app('b')))
  t.teardown(() => {
    release(ports)
  })
  const numbers = ports.flatMap(({httpPort, grpcPort, metricsPort, internalGrpcPort}) => [
    httpPort,
    grpcPort,
    metricsPort,
    internalGrpcPort
  ])
  t.equal(new Set(numbers).size, 8)
  t.ok(numbers.every(port => port > 0))
  t.same(
    ports[0]?.http.map(server => (server.address() as AddressInfo).address),
    ['127.0.0.1', '::1']
  )
})

const portsOf = (ports: readonly SidecarPorts[]): readonly (readonly number[])[] =>
  ports.map(({httpPort, grpcPort, metricsPort}) => [httpPort, grpcPort, metricsPort])

const isUsual = (port: number): boolean => port >= 30_000 && port < 32_768

/** A plan whose usual ports are all free; some of most others are taken by runs of other tests now and then. */
async function undisturbed(): Promise<{readonly shop: Plan; readonly usual: readonly (readonly number[])[]}> {
  for (let tries = 1; ; tries++) {
    const shop = planIn(tries.toString(), app('a'), app('b'))
    const claimed = [await claimPorts(shop)]
    for (const ports of claimed) release(ports)
    claimed.push(await claimPorts(shop))
    release(claimed.at(-1) ?? [])
    const [first = [], again] = claimed.map(portsOf)
    if (tries === 20 || (first.flat().every(isUsual) && isDeepStrictEqual(first, again))) return {shop, usual: first}
  }
}

t.test('a template has the same ports in each run, and others where they are taken', async t => {
  const {shop, usual} = await undisturbed()
  t.ok(usual.flat().every(isUsual), 'below those that the system gives to anybody')
  const [first, second] = [await claimPorts(shop), await claimPorts(shop)]
  t.same(portsOf(first), usual)
  t.equal(new Set([...usual.flat(), ...portsOf(second).flat()]).size, 12, 'a second run at the same time has its own')
  release(first)
  release(second)
  const elsewhere = await claimPorts({...shop, file: '/other/dapr.yaml'})
  t.notSame(portsOf(elsewhere), usual)
  release(elsewhere)
})

t.test('a port that the template names for an app is given to no sidecar, though it is the usual one', async t => {
  const [usual] = await claimPorts(plan(app('a')))
  const port = usual?.httpPort ?? 0
  release(usual === undefined ? [] : [usual])
  const [own] = await claimPorts(plan(app('a', {}, {port})))
  t.not(own?.httpPort, port)
  release(own === undefined ? [] : [own])
})

t.test('the error for a taken port names port, app and owner; bound ports are released', async t => {
  const taken = await listening(t)
  const error: unknown = await claimPorts(plan(app('a'), app('b', {httpPort: taken}))).catch((error: unknown) => error)
  t.match(error, {
    message: `Error validating run config for app "b" present in dapr.yaml: invalid configuration for HTTPPort. Port ${taken} is not available`,
    explanation: new RegExp(
      `^Port ${taken}: it is held by .*node.* \\(pid ${process.pid}\\)\\. Choose another port for "b", or leave it out to get a free one\\. If another copy of the template runs, --isolated gives this one ports of its own\\.$`
    )
  })
})

t.test('the error for two apps with the same port names both', async t => {
  const port = await freePort()
  await t.rejects(claimPorts(plan(app('a', {grpcPort: port}), app('b', {metricsPort: port}))), {
    message: /for app "b" .* invalid configuration for MetricsPort/,
    explanation: /app "a" of this template uses it/
  })
  const again = await claimPorts(plan(app('a', {httpPort: port})))
  t.equal(again[0]?.httpPort, port, 'the first port was released')
  release(again)
})

t.test("an app's own port is not checked", async t => {
  const taken = await listening(t)
  const ports = await claimPorts(plan(app('a', {}, {port: taken})))
  t.equal(ports[0]?.appPort, taken)
  release(ports)
})

t.test('a port is allocated where the template asks for one', async t => {
  const ports = await claimPorts(plan(app('a', {}, {autoPort: true})))
  t.ok((ports[0]?.appPort ?? 0) > 0)
  release(ports)
})

t.test('an app has the same allocated port in each run, also next to a fixed port of its sidecar', async t => {
  const httpPort = await freePort()
  const both = plan(app('a', {}, {autoPort: true}), app('b', {httpPort}, {autoPort: true}))
  const runs: (readonly number[])[] = []
  for (let times = 0; times < 3; times++) {
    const ports = await claimPorts(both)
    runs.push(ports.map(({appPort}) => appPort))
    release(ports)
  }
  t.same(runs[1], runs[0])
  t.same(runs[2], runs[0])
  const holder = await listening(t, runs[0]?.[1])
  const ports = await claimPorts(both)
  t.equal(ports[0]?.appPort, runs[0]?.[0])
  t.not(ports[1]?.appPort, holder, 'another one where it is taken')
  release(ports)
})

t.test('a number at which an app is waited for or called, or that another copy has, is given to none', async t => {
  const a = app('a', {}, {autoPort: true})
  const [usual] = await claimPorts(plan(a))
  const port = usual?.appPort ?? 0
  release(usual === undefined ? [] : [usual])
  const ready = {...app('db').ready, kind: 'tcp', port} as AppPlan['ready']
  const published = {host: '', number: port} as NonNullable<AppPlan['published']>
  for (const [what, other] of Object.entries({
    ready: plan(a, {...app('db'), ready}),
    published: {...plan(a), leftOut: [{...app('web'), published}]},
    copy: {...plan(a), movedPorts: new Map([[1025, port]])}
  })) {
    const ports = await claimPorts(other)
    t.not(ports[0]?.appPort, port, what)
    release(ports)
  }
})

t.test('a number of another app, also of one that is left out, is given to none, though nothing listens', async t => {
  const b = app('b', {}, {autoPort: true})
  const [usual] = await claimPorts(plan(b))
  const {appPort = 0, httpPort = 0} = usual ?? {}
  if (usual !== undefined) release([usual])
  const down = {ports: {...usual, httpPort, appPort} as SidecarPorts, wanted: app('a')}
  const besides = await claimPorts(plan(b), {others: [down]})
  release(besides)
  t.not(besides[0]?.appPort, appPort)
  t.not(besides[0]?.httpPort, httpPort)
  const fixed = app('a', {}, {port: appPort})
  for (const more of [{leftOut: [fixed]}, {}]) {
    const others = 'leftOut' in more ? [] : [{ports: {...down.ports, appPort: 0}, wanted: fixed}]
    const ports = await claimPorts({...plan(b), ...more}, {others})
    release(ports)
    t.not(ports[0]?.appPort, appPort)
  }
})

t.test('the app of a sidecar at its usual place has a port that no other such app is given', async t => {
  const apps = Array.from({length: 60}, (_, index) => app(`app-${index}`, {}, {autoPort: true}))
  const ports = await claimPorts(plan(...apps))
  for (const {httpPort, appPort} of ports) {
    const own = ownAppPorts(httpPort)
    if (own.length > 0) t.ok(own.includes(appPort), `${httpPort}: ${appPort}`)
  }
  const [first, second] = [ownAppPorts(30_000), ownAppPorts(30_004)]
  t.ok(first.length > 10)
  t.notOk(first.some(port => second.includes(port)))
  t.same([ownAppPorts(30_001), ownAppPorts(4711)], [[], []])
  release(ports)
})
t.test('the error for an address of another machine names the address', async t => {
  for (const address of ['nonsense.invalid', '192.0.2.1'])
    for (const wishes of [{}, {httpPort: 4711}])
      await t.rejects(claimPorts(plan(app('a', {...wishes, listenAddresses: [address]}))), {
        message: `Error validating run config for app "a" present in dapr.yaml: cannot listen on ${address}`,
        explanation: new RegExp(
          `^"${address}" is not an address of this machine \\(E\\w+\\)\\. Use IP addresses .*apiListenAddresses`
        )
      })
})

t.test('overlapping addresses have no free port in common: an error, not an endless loop', async t => {
  await t.rejects(claimPorts(plan(app('a', {listenAddresses: ['0.0.0.0', '127.0.0.1']}))), {
    message: /cannot listen on 0\.0\.0\.0, 127\.0\.0\.1$/,
    explanation: /One of these addresses includes another/
  })
})

t.test('the default port of the manager is left to whatever the template names it for', async t => {
  const number = 5080
  const published = {...app('a'), published: {host: '', number, inCode: number}}
  const ready = {...app('a'), ready: {kind: 'tcp' as const, port: number, timeoutMs: 1}}
  const plans = [plan(published), plan(ready), plan(app('a', {internalGrpcPort: number}))]
  for (const each of [...plans, {...plan(), leftOut: [app('a', {}, {port: number})]}]) {
    const manager = await claimManagerPort({...each, managerPort: 'usual'})
    for (const server of manager?.servers ?? []) server.close()
    t.not(manager?.port, number)
  }
})
