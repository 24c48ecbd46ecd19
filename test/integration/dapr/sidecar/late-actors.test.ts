import {once} from 'node:events'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import t from 'tap'
import {AdmissionQueue} from '../../../../src/proxy/gateway/admission-queue.ts'
import {ConcurrencyLimiter} from '../../../../src/proxy/gateway/concurrency-limiter.ts'
import {HeldBodies} from '../../../../src/proxy/gateway/held-bodies.ts'
import {Pool} from '../../../../src/proxy/net/pool.ts'
import type {SidecarActorsOptions} from '../../../../src/dapr/sidecar/actor-access.ts'
import {HostedActors} from '../../../../src/dapr/sidecar/hosted-actors.ts'
import {SidecarActors} from '../../../../src/dapr/sidecar/sidecar-actors.ts'
import {openActorHouse} from '../../../rig/actor-house.ts'

t.test('a sidecar that closes while the code of actors is loaded leaves the next of its app its timers', async t => {
  const {actors: all} = openActorHouse()
  const server = createServer((_, response) => response.end('{"Entities": ["Cart"]}')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  const pool = new Pool({hosts: ['127.0.0.1'], port})
  const queue = new AdmissionQueue({timeoutMs: 60_000})
  queue.open()
  const loaded = Promise.withResolvers<typeof all>()
  const isLoading = Promise.withResolvers<void>()
  const load = async (): Promise<typeof all> => {
    isLoading.resolve()
    return loaded.promise
  }
  const plan = {channel: {protocol: 'http'}, fixedPort: 0, command: [], ready: {kind: 'spawned'}}
  const app = {id: 'shop', home: 'shop', plan, appPort: port, pid: 7, queue, pool, token: '', isListening: true}
  const options = {
    runtime: {
      ...app,
      opening: {isUnasked: false},
      limiter: new ConcurrencyLimiter(() => 0),
      isUnhealthy: false,
      wanted: {},
      recheck: () => undefined,
      onMove: () => () => undefined
    },
    context: {heldBodies: new HeldBodies()},
    actors: {load, onTypes: () => undefined},
    log: () => undefined,
    components: () => [],
    warn: () => undefined
  } as unknown as SidecarActorsOptions
  const before = new SidecarActors(options)
  await isLoading.promise
  before.close()
  loaded.resolve(all)
  await new Promise(setImmediate)
  const next = new HostedActors(options, all)
  next.tell('{"entities": ["Cart"]}')
  const name = {type: 'Cart', id: '1', name: 'tick'}
  all.timers.set(name, {dueTime: '1h', period: '', ttl: '', callback: '', data: ''}, 'shop')
  before.close()
  t.match(all.timers.of('Cart', '1'), [{name: 'tick'}])
  all.close()
  pool.cut()
  server.close()
})
