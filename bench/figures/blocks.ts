import {setTimeout as pause} from 'node:timers/promises'
import {usageOf} from '../../test/rig/usage.ts'
import type {Rig} from '../../test/rig/rig.ts'
import {inRounds, type Figure, type Measure, type MeasureName, type Unit} from '../figure.ts'
import {
  componentsAt,
  daprd,
  openBare,
  openDaprd,
  openOurs,
  settled,
  startRedis,
  type Lane,
  type LaneName
} from '../lanes.ts'
import {load, type LoadOptions} from '../load.ts'
import {startTen, writeTen} from '../ten.ts'
import {freePorts, isInstalled, withRig} from '../tools.ts'

const KEYS = 1000
const SAVE = {method: 'POST', keys: KEYS, body: '[{"key":"order-{n}","value":{"orderId":{n},"status":"new"}}]'}
const GET = {method: 'GET', keys: KEYS, body: ''}

/** What one lane reaches in one round. */
type Numbers = Readonly<Record<Kind, number>>
type Kind = 'get' | 'p50' | 'save' | 'published' | 'delivered'

const UNITS: Readonly<Record<Kind, Unit>> = {get: '/s', p50: 'µs', save: '/s', published: '/s', delivered: '/s'}
const KINDS = Object.keys(UNITS) as Kind[]

/** State and pub/sub over HTTP, beside Dapr's sidecars and a bare server, both in front of redis-server; and their memory. */
export const blocks: Figure = {
  name: 'blocks',
  needs: ['go', 'wrk'],
  measure: async ({rounds, seconds}) => {
    const speed = await withRig(async rig => {
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
      return [
        ...rows('blocks', 'ours', 'daprd'),
        ...(isReal
          ? [...rows('blocks on Redis', 'ours on Redis', 'daprd'), ...rows('blocks, bare', 'ours', 'bare')]
          : [])
      ]
    })
    return [...speed, await memoryOf(Math.min(rounds, 3))]
  }
}

async function openLanes(rig: Rig): Promise<readonly Lane[]> {
  const [unused = 0] = await freePorts(1)
  const lanes = [await openOurs(rig, 'ours', unused)]
  if (!isInstalled('redis-server')) return lanes
  lanes.push(await openOurs(rig, 'ours on Redis', (await startRedis(rig)).port), await openBare(rig))
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
  const delivered = (await lane.events()) - before
  await settled(lane, before + publish.requests)
  return {
    get: get.perSecond,
    p50: alone.p50,
    save: save.perSecond,
    published: publish.perSecond,
    delivered: delivered / seconds
  }
}

/** Ten apps that each have saved and read, beside ten without components, idle. */
async function memoryOf(rounds: number): Promise<Measure> {
  const [unused = 0] = await freePorts(1)
  const files = Object.entries(componentsAt(unused)).map(([name, text]) => [`resources/${name}`, text])
  const taken = async (hasComponents: boolean): Promise<number> =>
    withRig(async rig => {
      await writeTen(rig, hasComponents ? {resourcesPath: './resources'} : {})
      await rig.write(hasComponents ? (Object.fromEntries(files) as Record<string, string>) : {})
      const {program, urls} = await startTen(rig)
      for (const url of hasComponents ? urls : []) {
        const {origin} = new URL(url)
        const saved = await fetch(`${origin}/v1.0/state/statestore`, {method: 'POST', body: '[{"key":"a","value":1}]'})
        const read = await fetch(`${origin}/v1.0/state/statestore/a`)
        if (!saved.ok || (await read.text()) !== '1') throw new Error('nothing was saved')
      }
      await pause(1000)
      const {megabytes} = await usageOf(program.pid)
      program.signal('SIGTERM')
      await program.exited
      return megabytes
    })
  const both = await inRounds(rounds, async () => [await taken(true), await taken(false)] as const)
  return {
    name: 'blocks: memory',
    unit: 'MB',
    ours: both.map(([ours]) => ours),
    peer: both.map(([, without]) => without),
    peerName: 'without'
  }
}
