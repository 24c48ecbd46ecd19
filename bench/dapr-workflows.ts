import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import type {Program} from '../test/rig/program.ts'
import {cpuOf} from '../test/rig/usage.ts'
import {component} from '../test/rig/resource-files.ts'
import type {Rig} from '../test/rig/rig.ts'
import {daprd, startRedis} from './lanes.ts'
import {freePorts, isInstalled} from './tools.ts'

/** What Dapr takes for workflows: a sidecar with Redis, and its placement and scheduler services. */
export interface DaprForWorkflows {
  /** The port of gRPC of the sidecar of the app `shop`. */
  readonly grpcPort: number
  /** Processor time of all four programs so far, in ms. */
  readonly cpuMs: () => Promise<number>
  readonly end: () => Promise<void>
}

/** A program of Dapr's that lies beside daprd, and is called as it is but for that word; undefined: there is none. */
function beside(path: string, name: 'placement' | 'scheduler'): string | undefined {
  const other = path.replace(/daprd$/, name)
  return other !== path && existsSync(other) ? other : undefined
}

/** Starts them, without TLS, metrics and logs; they end with the rig. Undefined: they are not all on this machine (`DAPRD`). */
export async function daprForWorkflows(rig: Rig): Promise<DaprForWorkflows | undefined> {
  const sidecar = daprd()
  const placement = sidecar && beside(sidecar, 'placement')
  const scheduler = sidecar && beside(sidecar, 'scheduler')
  if (sidecar === undefined || placement === undefined || scheduler === undefined || !isInstalled('redis-server'))
    return undefined
  const redis = await startRedis(rig)
  const metadata = {redisHost: `127.0.0.1:${redis.port}`, redisPassword: '', actorStateStore: 'true'}
  await rig.write({'dapr/resources/store.yaml': component('statestore', 'state.redis', metadata)})
  const ports = await freePorts(10)
  const [placed, placedHealth, raft, scheduled, scheduledHealth, etcd, etcdPeers, http, grpcPort = 0, internal] = ports
  const quiet = {'enable-metrics': 'false', 'log-level': 'error'}
  const start = (command: string, flags: Readonly<Record<string, string | number | undefined>>): Program => {
    const args = Object.entries({...quiet, ...flags}).map(([flag, value]) => `--${flag}=${value}`)
    return rig.start([command, ...args])
  }
  const programs = [
    start(placement, {
      port: placed,
      'healthz-port': placedHealth,
      'initial-cluster': `dapr-placement-0=127.0.0.1:${raft}`
    }),
    start(scheduler, {
      port: scheduled,
      'listen-address': '127.0.0.1',
      'healthz-port': scheduledHealth,
      'etcd-data-dir': join(rig.folder, 'dapr/etcd'),
      'etcd-client-port': etcd,
      'etcd-initial-cluster': `dapr-scheduler-server-0=http://127.0.0.1:${etcdPeers}`,
      'override-broadcast-host-port': `127.0.0.1:${scheduled}`
    }),
    start(sidecar, {
      'app-id': 'shop',
      'resources-path': join(rig.folder, 'dapr/resources'),
      'dapr-http-port': http,
      'dapr-grpc-port': grpcPort,
      'dapr-internal-grpc-port': internal,
      'placement-host-address': `127.0.0.1:${placed}`,
      'scheduler-host-address': `127.0.0.1:${scheduled}`
    })
  ]
  const health = `http://127.0.0.1:${http}/v1.0/healthz`
  while ((await fetch(health).catch(() => undefined))?.ok !== true) await pause(100)
  const pids = [redis.pid, ...programs.map(({pid}) => pid)]
  const cpuMs = async (): Promise<number> => (await Promise.all(pids.map(cpuOf))).reduce((sum, ms) => sum + ms, 0)
  const end = async (): Promise<void> => {
    for (const program of programs.toReversed()) program.signal('SIGKILL')
    await Promise.all(programs.map(async ({exited}) => exited))
  }
  return {grpcPort, cpuMs, end}
}
