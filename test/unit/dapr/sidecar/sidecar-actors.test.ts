import t from 'tap'
import {AdmissionQueue} from '../../../../src/proxy/gateway/admission-queue.ts'
import {HeldBodies} from '../../../../src/proxy/gateway/held-bodies.ts'
import type {SidecarActorsOptions} from '../../../../src/dapr/sidecar/actor-access.ts'
import {HostedActors} from '../../../../src/dapr/sidecar/hosted-actors.ts'
import {SidecarActors} from '../../../../src/dapr/sidecar/sidecar-actors.ts'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'
import {openActorHouse} from '../../../rig/actor-house.ts'

t.test('a process that goes before it can be asked leaves no question to the next one', async t => {
  const queue = new AdmissionQueue({timeoutMs: 60_000})
  queue.open()
  const listeners: (() => void)[] = []
  const app = {
    id: 'shop',
    plan: {channel: {protocol: 'http'}, fixedPort: 0, command: [], ready: {kind: 'spawned'}},
    isListening: true,
    appPort: 1,
    pid: 7,
    queue,
    opening: {isUnasked: false},
    onMove: (listener: () => void) => {
      listeners.push(listener)
      return () => undefined
    }
  }
  const actors = new SidecarActors({
    runtime: app as unknown as AppRuntime,
    context: {heldBodies: new HeldBodies()},
    actors: {
      load: async () => Promise.reject(new Error('no actors here')),
      reminders: async () => Promise.reject(new Error('no reminders here')),
      onTypes: () => undefined,
      faults: undefined,
      elsewhere: async () => Promise.resolve(undefined),
      hostedAt: () => undefined,
      countsOf: async () => Promise.resolve([])
    },
    policies: () => undefined,
    log: (_, text) => t.fail(text),
    components: () => [],
    warn: text => t.fail(text)
  })
  app.isListening = false
  queue.hold('the next one starts')
  for (const listener of listeners) listener()
  await import('../../../../src/proxy/gateway/app-request.ts')
  await new Promise(setImmediate)
  t.equal(queue.waiting, 0)
  actors.close()
})

t.test('a sidecar that closes behind the next one of its app leaves that one its timers', async t => {
  const {actors: all} = openActorHouse()
  t.teardown(() => all.close())
  const queue = new AdmissionQueue({timeoutMs: 60_000})
  const app = {id: 'shop', home: 'shop', isListening: false, isUnhealthy: false, appPort: 0, queue}
  const options = {
    runtime: {...app, onMove: () => () => undefined},
    actors: {onTypes: () => undefined},
    log: () => undefined,
    components: () => [],
    warn: () => undefined
  } as unknown as SidecarActorsOptions
  const [before, next] = [new SidecarActors(options), new SidecarActors(options)]
  for (const each of [before, next]) {
    each.hosted = new HostedActors(options, all)
    each.hosted.tell('{"entities": ["Cart"]}')
    all.timers.set(
      {type: 'Cart', id: '1', name: 'tick'},
      {dueTime: '1h', period: '', ttl: '', callback: '', data: ''},
      'shop'
    )
    if (each === before) before.close()
  }
  before.close()
  t.match(all.timers.of('Cart', '1'), [{name: 'tick'}])
  next.close()
})

t.test('a process that is not asked may open a stream of actors for five seconds after its start', async t => {
  const listeners: (() => void)[] = []
  const queue = new AdmissionQueue({timeoutMs: 60_000})
  const plan = {channel: {protocol: 'grpc'}, fixedPort: 0}
  const onMove = (listener: () => void): (() => void) => {
    listeners.push(listener)
    return () => undefined
  }
  const app = {id: 'shop', plan, isListening: false, isUnhealthy: false, appPort: 1, pid: 7, queue, opening: {}, onMove}
  const move = (change: Partial<typeof app>): void => {
    Object.assign(app, change)
    for (const listener of listeners) listener()
  }
  const options = {runtime: app, actors: {onTypes: () => undefined}} as unknown as SidecarActorsOptions
  const actors = new SidecarActors(options)
  t.ok(actors.hostWaitMs <= 0, 'it does not listen yet')
  move({isListening: true})
  const first = actors.hostWaitMs
  t.ok(first > 0 && first <= 5000)
  move({})
  t.ok(actors.hostWaitMs <= first)
  move({isListening: false})
  t.ok(actors.hostWaitMs <= 0, 'it has ended')
  move({isListening: true, pid: 8})
  t.ok(actors.hostWaitMs > 0, 'the next process')
  actors.close()
})
