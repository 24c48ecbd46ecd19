import type {Rig} from '../../test/rig/rig.ts'
import {inRounds, type Figure, type Measure, type MeasureName, type Unit} from '../figure.ts'
import {daprd, openDaprd, openOurs, settled, startRedis, type Lane, type LaneName} from '../lanes.ts'
import {load, type LoadOptions} from '../load.ts'
import {freePorts, isInstalled, withRig} from '../tools.ts'

const KEYS = 1000
const SAVE = {method: 'POST', keys: KEYS, body: '[{"key":"order-{n}","value":{"orderId":{n},"status":"new"}}]'}
const GET = {method: 'GET', keys: KEYS, body: ''}

/** What one lane reaches in one round. */
type Numbers = Readonly<Record<Kind, number>>
type Kind = 'get' | 'p50' | 'save' | 'published'

const UNITS: Readonly<Record<Kind, Unit>> = {get: '/s', p50: 'µs', save: '/s', published: '/s'}
const KINDS = Object.keys(UNITS) as Kind[]

export const blocks: Figure = {
  name: 'blocks',
  title: 'State and events compared with Dapr',
  what: 'State and pub/sub over HTTP on 32 connections, and the median of a read on one; each event must arrive. daprd keeps both in redis-server. `blocks` uses the built-in store, as on a new machine; `blocks on Redis` the same redis-server.',
  needs: ['go', 'wrk'],
  measure: async ({rounds, seconds}) => {
    return withRig(async rig => {
      const lanes = await openLanes(rig)
      await inRounds(lanes.length, async at => numbersOf(lanes[at] as Lane, 1)) // warm
      const results = await inRounds(rounds, async () =>
        inRounds(lanes.length, async at => numbersOf(lanes[at] as Lane, seconds))
      )
      const of = (name: LaneName, kind: Kind): readonly number[] =>
        results.flatMap(row => row[lanes.findIndex(lane => lane.name === name)]?.[kind] ?? [])
      const rows = (prefix: string, ours: LaneName, peer: LaneName): readonly Measure[] =>
        KINDS.map(kind => ({
          name: `${prefix}: ${kind}` as MeasureName,
          unit: UNITS[kind],
          ours: of(ours, kind),
          peer: of(peer, kind),
          peerName: peer
        }))
      const isReal = lanes.some(({name}) => name === 'ours on Redis')
      return [...rows('blocks', 'ours', 'daprd'), ...(isReal ? rows('blocks on Redis', 'ours on Redis', 'daprd') : [])]
    })
  }
}

async function openLanes(rig: Rig): Promise<readonly Lane[]> {
  const [unused = 0] = await freePorts(1)
  const lanes = [await openOurs(rig, 'ours', unused)]
  if (!isInstalled('redis-server')) return lanes
  lanes.push(await openOurs(rig, 'ours on Redis', (await startRedis(rig)).port))
  const command = daprd()
  if (command !== undefined) lanes.push(await openDaprd(rig, command))
  return lanes
}

/** All kinds of load, one after the other. */
async function numbersOf(lane: Lane, seconds: number): Promise<Numbers> {
  const on = async (connections: number, path: string, more: Partial<LoadOptions>): ReturnType<typeof load> =>
    load({url: `${lane.api}/${path}`, connections, seconds, ...more})
  const save = await on(32, 'state/statestore', SAVE)
  const get = await on(32, 'state/statestore/order-{n}', GET)
  const alone = await on(1, 'state/statestore/order-{n}', GET)
  const before = await lane.events()
  const publish = await on(32, 'publish/pubsub/orders', {})
  await settled(lane, before + publish.requests)
  return {get: get.perSecond, p50: alone.p50, save: save.perSecond, published: publish.perSecond}
}
