import {createServer, type AddressInfo, type Server} from 'node:net'
import t, {type Test} from 'tap'
import {claimPorts, type SidecarPorts} from '../../../src/ports/claim.ts'
import type {AppPlan, Plan} from '../../../src/model/plan.ts'

const app = (
  id: string,
  sidecar: Partial<AppPlan['sidecar']> = {},
  channel: Partial<AppPlan['channel']> = {}
): AppPlan =>
  ({
    id,
    fixedPort: 0,
    channel: {protocol: 'http', address: '', port: 0, autoPort: false, maxConcurrency: 0, ...channel},
    sidecar: {
      httpPort: 0,
      grpcPort: 0,
      internalGrpcPort: 0,
      metricsPort: 0,
      listenAddresses: [],
      socketFolder: '',
      ...sidecar
    }
  }) as unknown as AppPlan
const plan = (...apps: AppPlan[]): Plan => ({shownAs: 'dapr.yaml', apps}) as unknown as Plan
const nobody = async (): Promise<string> => ''

const release = (ports: readonly SidecarPorts[]): void => {
  for (const {http, grpc, metrics} of ports) for (const server of [...http, ...grpc, ...metrics]) server.close()
}
const listening = async (t: Test): Promise<number> => {
  const server: Server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

t.test('every door gets ports of its own, bound on both loopback addresses', async t => {
  const ports = await claimPorts(plan(app('a'), app('b')), nobody)
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

t.test('a taken port is told by number, app and owner, and what was bound is let go', async t => {
  const taken = await listening(t)
  const error = await claimPorts(
    plan(app('a'), app('b', {httpPort: taken})),
    async port => `node server.js, pid ${port.toString()}`
  ).catch((error: unknown) => error)
  t.match(error, {
    message: `Error validating run config for app "b" present in dapr.yaml: invalid configuration for HTTPPort. Port ${taken.toString()} is not available`,
    explanation: `Port ${taken.toString()}: it is held by node server.js, pid ${taken.toString()}. Choose another number for "b", or leave it out for a free one.`
  })
})

t.test('two apps of a template with one port are told about each other', async t => {
  const [free] = await claimPorts(plan(app('x')), nobody)
  if (!free) throw new Error('no ports')
  release([free])
  await t.rejects(
    claimPorts(plan(app('a', {grpcPort: free.httpPort}), app('b', {metricsPort: free.httpPort})), nobody),
    {
      message: /for app "b" .* invalid configuration for MetricsPort/,
      explanation: /app "a" of this template has it/
    }
  )
  const again = await claimPorts(plan(app('a', {httpPort: free.httpPort})), nobody)
  t.equal(again[0]?.httpPort, free.httpPort, 'the first port was let go')
  release(again)
})

t.test("an app's own port is not ours: taken or not, nothing is said", async t => {
  const taken = await listening(t)
  const ports = await claimPorts(plan(app('a', {}, {port: taken})), nobody)
  t.equal(ports[0]?.appPort, taken)
  release(ports)
})

t.test('a port is allocated where the template asks for one', async t => {
  const ports = await claimPorts(plan(app('a', {}, {autoPort: true})), nobody)
  t.ok((ports[0]?.appPort ?? 0) > 0)
  release(ports)
})
t.test('an address that is none of this machine is told by its name, not as a port that is taken', async t => {
  for (const address of ['nonsense.invalid', '192.0.2.1'])
    for (const wishes of [{}, {httpPort: 4711}])
      await t.rejects(claimPorts(plan(app('a', {...wishes, listenAddresses: [address]})), nobody), {
        message: `Error validating run config for app "a" present in dapr.yaml: nothing can listen at ${address}`,
        explanation: new RegExp(
          `^"${address}" is no address of this machine \\(E\\w+\\)\\. Write IP addresses .*apiListenAddresses`
        )
      })
})

t.test(
  'addresses of which one holds another have no free port in common: that is said, and not tried for ever',
  async t => {
    await t.rejects(claimPorts(plan(app('a', {listenAddresses: ['0.0.0.0', '127.0.0.1']})), nobody), {
      message: /nothing can listen at 0\.0\.0\.0, 127\.0\.0\.1$/,
      explanation: /One of these addresses holds another/
    })
  }
)
