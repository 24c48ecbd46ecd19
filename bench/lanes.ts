import {setTimeout as pause} from 'node:timers/promises'
import {accessSync, constants} from 'node:fs'
import {delimiter, join} from 'node:path'
import type {Rig} from '../test/rig/rig.ts'
import {component} from '../test/rig/resource-files.ts'
import {freePorts, subscriber} from './tools.ts'

/** A publisher of state and events, and a subscriber, behind some kind of sidecar. */
export interface Lane {
  readonly name: LaneName
  /** `http://127.0.0.1:PORT/v1.0` of the publisher. */
  readonly api: string
  /** Number of events that the subscriber has. Rejects if some of it lacked what an envelope has. */
  readonly events: () => Promise<number>
}

export type LaneName = 'ours' | 'ours on Redis' | 'daprd'

/** The two components, both of one Redis. */
export const componentsAt = (port: number): Readonly<Record<string, string>> => {
  const metadata = {redisHost: `127.0.0.1:${port}`, redisPassword: ''}
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
export async function startRedis(rig: Rig): Promise<{readonly port: number; readonly pid: number}> {
  const [port = 0] = await freePorts(1)
  const args = ['--port', port.toString(), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const program = rig.start(['redis-server', ...args])
  await program.waitForLine(/Ready to accept connections/)
  return {port, pid: program.pid}
}

/** The command of a subscriber, and the number of its events. */
async function subscriberAt(port: number) {
  const events = async (): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${port}/counts`)
    const {events: count, lacking} = (await answer.json()) as Readonly<Record<'events' | 'lacking', number>>
    if (lacking > 0) throw new Error(`${lacking} of ${count} events lacked their data or type`)
    return count
  }
  return {command: [await subscriber()], events}
}

/** A run of ours; `redis`: the port of a server, or one where none is: then the run is that Redis. */
export async function openOurs(rig: Rig, name: LaneName, redis: number): Promise<Lane> {
  const folder = name.replaceAll(' ', '-')
  const [appPort = 0] = await freePorts(1)
  const {events, command} = await subscriberAt(appPort)
  const apps = [
    {appID: 'shop', appDirPath: '.', command: []},
    {appID: 'stock', appDirPath: '.', appPort, command}
  ]
  const template = JSON.stringify({version: 1, common: {resourcesPath: './resources'}, apps})
  await rig.write({[`${folder}/dapr.yaml`]: template, ...inFolder(`${folder}/resources`, componentsAt(redis))})
  const program = rig.pillion(['run', '-f', folder])
  const {http} = await program.ports('shop')
  return ready({name, api: apiAt(http), events})
}

/** Starts one of Dapr's sidecars. */
function startDaprd(
  rig: Rig,
  command: readonly string[],
  id: string,
  [http, grpc, internal, metrics]: readonly number[]
): void {
  const flags = {
    'app-id': id,
    'log-level': 'error',
    'dapr-http-port': http,
    'dapr-grpc-port': grpc,
    'dapr-internal-grpc-port': internal,
    'metrics-port': metrics
  }
  rig.start([...command, ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)])])
}

/**
 * Dapr's sidecars of a caller and of the app at `port`, called `daprd-callee`; gives the port of the caller's. They find each other
 * by a file, as multicast is not everywhere.
 */
export async function startDaprdPair(rig: Rig, command: string, port: number): Promise<number> {
  const ports = await freePorts(8)
  const connectionString = join(rig.folder, 'names.db')
  const nameResolution = {component: 'sqlite', version: 'v1', configuration: {connectionString}}
  await rig.write({'names.yaml': JSON.stringify({kind: 'Configuration', spec: {nameResolution}})})
  const args = ['--config', 'names.yaml']
  startDaprd(rig, [command, ...args, '--app-port', port.toString()], 'daprd-callee', ports.slice(4))
  // the first one creates the tables of names, which are locked meanwhile
  await answered(`http://127.0.0.1:${ports[4] ?? 0}/v1.0/metadata`, {})
  startDaprd(rig, [command, ...args], 'daprd-caller', ports.slice(0, 4))
  const [http = 0] = ports
  await answered(`http://127.0.0.1:${http}/v1.0/invoke/daprd-callee/method/plain`, {method: 'POST', body: 'once'})
  return http
}

/** Waits until one of Dapr's sidecars answers with a success. */
async function answered(url: string, init: RequestInit): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const isAnswered = await fetch(url, init).then(
      async answer => (await answer.text()) !== '' && answer.ok,
      () => false
    )
    if (isAnswered) return
    await pause(100)
  }
  throw new Error(`daprd does not answer at ${url}`)
}

/** Two of Dapr's sidecars with a Redis of their own. */
export async function openDaprd(rig: Rig, daprdCommand: string): Promise<Lane> {
  const redis = await startRedis(rig)
  await rig.write(inFolder('daprd', componentsAt(redis.port)))
  const [appPort = 0, ...ports] = await freePorts(9)
  const {events, command} = await subscriberAt(appPort)
  rig.start(command, {env: {APP_PORT: appPort.toString()}})
  const sidecar = [daprdCommand, '--resources-path', 'daprd']
  startDaprd(rig, sidecar, 'shop', ports.slice(0, 4))
  startDaprd(rig, [...sidecar, '--app-port', appPort.toString()], 'stock', ports.slice(4))
  return ready({name: 'daprd', api: apiAt(ports[0] ?? 0), events})
}

const apiAt = (port: number): string => `http://127.0.0.1:${port}/v1.0`

const inFolder = (folder: string, files: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]))

/** Events that were published still come after the load; when none has come for so long, they are lost. */
const SILENCE_MS = 3000

/** Waits until so many events have come. */
export async function settled({name, events}: Lane, expected: number): Promise<void> {
  let last = 0
  let since = performance.now()
  for (let now = await events(); now < expected; now = await events()) {
    if (now > last) since = performance.now()
    else if (performance.now() - since > SILENCE_MS)
      throw new Error(`${name}: ${expected - now} events were not delivered`)
    last = now
    await pause(20)
  }
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
    if (isPublished && (await lane.events().catch(() => 0)) > 0) return lane
    await pause(50)
  }
  throw new Error(`${lane.name} delivers no event`)
}
