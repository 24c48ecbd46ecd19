import {setTimeout as pause} from 'node:timers/promises'
import {accessSync, constants} from 'node:fs'
import {delimiter, join} from 'node:path'
import type {Rig} from '../test/rig/rig.ts'
import {component} from '../test/rig/resource-files.ts'
import {freePorts, redisFront, subscriber} from './tools.ts'

/** A publisher of state and events, and a subscriber, behind some kind of sidecar. */
export interface Lane {
  readonly name: LaneName
  /** `http://127.0.0.1:PORT/v1.0` of the publisher. */
  readonly api: string
  /** Where the subscriber tells what it has got. */
  readonly counts: string
}

export type LaneName = 'ours' | 'ours on Redis' | 'daprd' | 'bare'

/** The two components, both of one Redis. */
export const componentsAt = (port: number): Readonly<Record<string, string>> => {
  const metadata = {redisHost: `127.0.0.1:${port.toString()}`, redisPassword: ''}
  return {
    'statestore.yaml': component('statestore', 'state.redis', metadata),
    'pubsub.yaml': component('pubsub', 'pubsub.redis', metadata)
  }
}

/** daprd of `DAPRD` or the PATH; undefined: there is none. */
export function daprd(): string | undefined {
  const given = process.env['DAPRD']
  const paths = (process.env['PATH'] ?? '').split(delimiter).map(folder => join(folder, 'daprd'))
  return (given === undefined ? paths : [given]).find(path => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false // not there
    }
  })
}

/** A redis-server that keeps nothing; it ends with the rig. */
export async function startRedis(rig: Rig): Promise<number> {
  const [port = 0] = await freePorts(1)
  const args = ['--port', port.toString(), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  await rig.start(['redis-server', ...args]).waitForLine(/Ready to accept connections/)
  return port
}

/** A run of ours; `redis`: the port of a server, or one where none is: then the run is that Redis. */
export async function openOurs(rig: Rig, name: LaneName, redis: number): Promise<Lane> {
  const folder = name.replaceAll(' ', '-')
  const [appPort = 0] = await freePorts(1)
  const apps = [
    {appID: 'shop', appDirPath: '.', command: []},
    {appID: 'stock', appDirPath: '.', appPort, command: [await subscriber()]}
  ]
  const template = JSON.stringify({version: 1, common: {resourcesPath: './resources'}, apps})
  await rig.write({[`${folder}/dapr.yaml`]: template, ...inFolder(`${folder}/resources`, componentsAt(redis))})
  const program = rig.pillion(['run', '-f', folder])
  const {http} = await program.ports('shop')
  return ready({name, api: apiAt(http), counts: countsAt(appPort)})
}

/** Two of Dapr's sidecars with a Redis of their own. */
export async function openDaprd(rig: Rig, command: string): Promise<Lane> {
  const redis = await startRedis(rig)
  await rig.write(inFolder('daprd', componentsAt(redis)))
  const [appPort = 0, ...ports] = await freePorts(9)
  const env = {APP_PORT: appPort.toString()}
  rig.start([await subscriber()], {env})
  const start = (id: string, [http, grpc, internal, metrics]: readonly number[], more: readonly string[]): void => {
    const flags = {
      'app-id': id,
      'resources-path': 'daprd',
      'log-level': 'error',
      'dapr-http-port': http,
      'dapr-grpc-port': grpc,
      'dapr-internal-grpc-port': internal,
      'metrics-port': metrics
    }
    rig.start([command, ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]), ...more])
  }
  start('shop', ports.slice(0, 4), [])
  start('stock', ports.slice(4), ['--app-port', appPort.toString()])
  return ready({name: 'daprd', api: apiAt(ports[0] ?? 0), counts: countsAt(appPort)})
}

/** A server that does only what HTTP in front of Redis needs. */
export async function openBare(rig: Rig): Promise<Lane> {
  const redis = await startRedis(rig)
  const [port = 0, appPort = 0] = await freePorts(2)
  const env = {PORT: port.toString(), APP_PORT: appPort.toString(), REDIS_PORT: redis.toString()}
  rig.start([await subscriber()], {env})
  rig.start([await redisFront()], {env})
  return ready({name: 'bare', api: apiAt(port), counts: countsAt(appPort)})
}

const apiAt = (port: number): string => `http://127.0.0.1:${port.toString()}/v1.0`
const countsAt = (port: number): string => `http://127.0.0.1:${port.toString()}/counts`

const inFolder = (folder: string, files: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]))

/** What a subscriber has got, and how much of it lacked what an envelope has. */
export async function eventsOf({counts}: Pick<Lane, 'counts'>): Promise<number> {
  const {events, lacking} = (await (await fetch(counts)).json()) as Readonly<Record<'events' | 'lacking', number>>
  if (lacking > 0) throw new Error(`${lacking.toString()} of ${events.toString()} events lacked their data or type`)
  return events
}

/** Waits until an event that is published arrives. */
async function ready(lane: Lane): Promise<Lane> {
  for (let tries = 0; tries < 300; tries++) {
    const isPublished = await fetch(`${lane.api}/publish/pubsub/orders`, {
      method: 'POST',
      headers: {'content-type': 'application/json'},
      body: '{"orderId":1}'
    }).then(
      ({ok}) => ok,
      () => false
    )
    if (isPublished && (await eventsOf(lane).catch(() => 0)) > 0) return lane
    await pause(50)
  }
  throw new Error(`${lane.name} delivers no event`)
}
