import {inRounds, type Figure, type Measure, type MeasureName, type Unit} from '../figure.ts'
import {grpcLoad, type GrpcLoadOptions} from '../grpc-load.ts'
import {daprd, openDaprd, openOurs, settled, type Lane} from '../lanes.ts'
import type {Load} from '../load.ts'
import {cpuOf, freePorts, isInstalled, withRig} from '../tools.ts'

/** As many as the load reads and writes. */
const KEYS = 1000
const DAPR = '/dapr.proto.runtime.v1.Dapr/'

/** What one lane reaches in one round; of `CPU` calls in a second of processor time. */
type Numbers = Readonly<Record<Kind, number>>
type Kind = 'get' | 'save' | 'published' | 'delivered' | 'p50' | `${'get' | 'save' | 'delivered'}, CPU`

const ROWS: readonly (readonly [kind: Kind, name: MeasureName, unit: Unit])[] = [
  ['get', 'gRPC blocks: get', '/s'],
  ['get, CPU', 'gRPC blocks, CPU: get', '/s'],
  ['p50', 'gRPC blocks: p50', 'µs'],
  ['save', 'gRPC blocks: save', '/s'],
  ['save, CPU', 'gRPC blocks, CPU: save', '/s'],
  ['published', 'gRPC blocks: published', '/s'],
  ['delivered', 'gRPC blocks: delivered', '/s'],
  ['delivered, CPU', 'gRPC blocks, CPU: delivered', '/s']
]

/** State and pub/sub over gRPC, the subscriber an app of gRPC, beside Dapr's sidecars in front of redis-server. */
export const grpcBlocks: Figure = {
  name: 'grpc-blocks',
  needs: ['go'],
  measure: async ({rounds, seconds}) =>
    withRig(async rig => {
      const [unused = 0] = await freePorts(1)
      const ours = await openOurs(rig, 'ours', unused, 'grpc')
      const command = isInstalled('redis-server') ? daprd() : undefined
      const peer = command === undefined ? undefined : await openDaprd(rig, command, 'grpc')
      for (const lane of peer === undefined ? [ours] : [ours, peer]) await fill(lane)
      const round = async (length: number) =>
        [await numbersOf(ours, length), peer && (await numbersOf(peer, length))] as const
      await round(1) // warm
      const results = await inRounds(rounds, async () => round(seconds))
      return ROWS.map(([kind, name, unit]): Measure => {
        const peers = results.flatMap(([, theirs]) => theirs?.[kind] ?? [])
        return {name, unit, ours: results.map(([own]) => own[kind]), peer: peers, peerName: 'daprd'}
      })
    })
}

/** Saves all keys that are read. */
async function fill({name, api}: Lane): Promise<void> {
  const items = Array.from({length: KEYS}, (_, n) => ({key: `order-${n}`, value: {orderId: n}}))
  const {ok} = await fetch(`${api}/state/statestore`, {method: 'POST', body: JSON.stringify(items)})
  if (!ok) throw new Error(`${name} saves nothing`)
}

/** All kinds of load, one after the other. A client of an SDK has one connection. */
async function numbersOf(lane: Lane, seconds: number): Promise<Numbers> {
  const on = async (method: string, options: Partial<GrpcLoadOptions> = {}): Promise<Load> =>
    grpcLoad({port: lane.grpcPort, connections: 1, streams: 32, seconds, method: DAPR + method, ...options})
  const save = await costed(lane, async () => on('SaveState'))
  const get = await costed(lane, async () => on('GetState'))
  const alone = await on('GetState', {streams: 1})
  const before = await lane.events()
  let delivered = 0
  const publish = await costed(lane, async () => {
    const from = performance.now()
    const made = await on('PublishEvent')
    delivered = ((await lane.events()) - before) / ((performance.now() - from) / 1000)
    // the first call opens the connection, and is not counted
    await settled(lane, before + made.requests + 1)
    return made
  })
  return {
    save: save.load.perSecond,
    'save, CPU': save.perCpuSecond,
    get: get.load.perSecond,
    'get, CPU': get.perCpuSecond,
    p50: alone.p50,
    published: publish.load.perSecond,
    delivered,
    'delivered, CPU': publish.perCpuSecond
  }
}

async function costed({groups}: Lane, make: () => Promise<Load>): Promise<{load: Load; perCpuSecond: number}> {
  const spent = async (): Promise<number> =>
    (await Promise.all(groups.map(cpuOf))).reduce((sum, cpuMs) => sum + cpuMs, 0)
  const before = await spent()
  const load = await make()
  return {load, perCpuSecond: (1000 * load.requests) / ((await spent()) - before)}
}
