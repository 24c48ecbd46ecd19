import type {Server} from 'node:net'
import {codeOf, messageOf, UserError} from '../../model/errors.ts'
import {instanceName, listenPorts, type AppPlan, type Plan} from '../../model/plan.ts'
import {allOrNone} from '../../platform/in-parallel.ts'
import {GIVE_LOOPBACK, LOOPBACK} from '../../platform/probe.ts'
import {close, listen, listenAnywhere, listenOnSocket, portOf, type Api} from './bind.ts'
import {freeAppPort, noFreePort, whoHolds} from './app-port.ts'
import {ownAppPorts, usualPorts, type WantedPorts} from './usual-ports.ts'

/** The ports of one sidecar, which the run keeps bound until it ends. Each list has one listening server per address. */
export interface SidecarPorts extends WantedPorts {
  readonly http: readonly Server[]
  readonly grpc: readonly Server[]
  readonly metrics: readonly Server[]
}

/** Options for ports that are claimed during a run, for an app that an edit opens. */
export interface ClaimWishes {
  /** Returns the preferred ports of an app, used where the template fixes none and the port is free. */
  readonly wanted?: ((app: AppPlan) => WantedPorts | undefined) | undefined
  /** Servers that listen for the first app of the plan already. */
  readonly kept?: Pick<SidecarPorts, 'http' | 'grpc' | 'metrics'> | undefined
  /** The other apps of the run. Their ports stay reserved even if nothing listens there at the moment. */
  readonly others?: readonly {readonly ports: SidecarPorts; readonly wanted: AppPlan}[]
}

/**
 * Binds every port of the plan before anything starts, ports that the template fixes first. If one is taken, releases the others and throws a
 * `UserError` with port, app and owner, whose first line is Dapr's (`pkg/standalone/run.go`).
 */
export async function claimPorts(
  plan: Plan,
  {wanted = usualPorts(plan), kept, others = []}: ClaimWishes = {}
): Promise<readonly SidecarPorts[]> {
  const claim = new Claim(plan, wanted)
  for (const other of others) claim.reserve(other)
  const [first] = plan.apps
  if (kept !== undefined && first !== undefined) claim.keepAll(first, kept)
  try {
    for (const app of plan.apps) await claim.fixed(app)
    return await allOrNone(plan.apps.map(async app => claim.remaining(app)))
  } catch (error) {
    claim.release()
    throw error
  }
}

/** Keys of a sidecar's ports, with their names in Dapr's error message. */
const KINDS = {
  httpPort: 'HTTPPort',
  grpcPort: 'GRPCPort',
  metricsPort: 'MetricsPort',
  internalGrpcPort: 'InternalGRPCPort'
} as const
type Kind = keyof typeof KINDS

class Claim {
  readonly #plan: Plan
  readonly #wanted: (app: AppPlan) => WantedPorts | undefined
  readonly #bound = new Map<AppPlan, Map<Kind, readonly Server[]>>()
  readonly #sockets: Server[] = []
  /** Ports that are never chosen freely, since apps of this template may need them. */
  readonly #reserved: Set<number>

  constructor(plan: Plan, wanted: (app: AppPlan) => WantedPorts | undefined) {
    this.#plan = plan
    this.#wanted = wanted
    this.#reserved = new Set(plan.movedPorts?.values())
    for (const app of [...plan.apps, ...(plan.leftOut ?? [])]) this.#reserveFixed(app)
  }

  #reserveFixed(app: AppPlan): void {
    for (const port of [...listenPorts(app), app.published?.number ?? 0]) this.#reserved.add(port)
  }

  reserve({ports, wanted}: NonNullable<ClaimWishes['others']>[number]): void {
    this.#reserveFixed(wanted)
    for (const key of [...(Object.keys(KINDS) as Kind[]), 'appPort'] as const) this.#reserved.add(ports[key])
  }

  async fixed(app: AppPlan): Promise<void> {
    for (const kind of Object.keys(KINDS) as Kind[]) {
      const port = app.sidecar[kind]
      if (port === 0 || this.#bound.get(app)?.has(kind) === true) continue
      try {
        this.#keep(app, kind, await listen(port, addresses(app, kind)))
      } catch (error) {
        throw await this.#taken(app, kind, error)
      }
    }
  }

  async remaining(app: AppPlan): Promise<SidecarPorts> {
    const [http, grpc, metrics, internal] = await allOrNone(
      (Object.keys(KINDS) as Kind[]).map(async kind => this.#bound.get(app)?.get(kind) ?? this.#free(app, kind))
    )
    if (http === undefined || grpc === undefined || metrics === undefined || internal === undefined)
      throw new Error('a kind of port is missing')
    const internalGrpcPort = portOf(internal)
    close(internal)
    return {
      http: [...http, ...(await this.#socket(app, 'http'))],
      grpc: [...grpc, ...(await this.#socket(app, 'grpc'))],
      metrics,
      httpPort: portOf(http),
      grpcPort: portOf(grpc),
      metricsPort: portOf(metrics),
      internalGrpcPort,
      appPort: app.channel.autoPort ? await this.#appNumber(app, portOf(http)) : app.channel.port
    }
  }

  keepAll(app: AppPlan, {http, grpc, metrics}: Pick<SidecarPorts, 'http' | 'grpc' | 'metrics'>): void {
    this.#keep(app, 'httpPort', http)
    this.#keep(app, 'grpcPort', grpc)
    this.#keep(app, 'metricsPort', metrics)
    for (const servers of [http, grpc, metrics]) this.#reserved.add(portOf(servers))
  }

  release(): void {
    close(this.#sockets)
    for (const kinds of this.#bound.values()) for (const servers of kinds.values()) close(servers)
  }

  async #socket({id, instance, sidecar}: AppPlan, api: Api): Promise<readonly Server[]> {
    if (sidecar.socketFolder === '') return []
    this.#sockets.push(await listenOnSocket(sidecar.socketFolder, instanceName(id, instance), api))
    return this.#sockets.slice(-1)
  }

  #keep(app: AppPlan, kind: Kind, servers: readonly Server[]): readonly Server[] {
    const kinds = this.#bound.get(app) ?? new Map<Kind, readonly Server[]>()
    this.#bound.set(app, kinds.set(kind, servers))
    return servers
  }

  async #appNumber(app: AppPlan, httpPort: number): Promise<number> {
    const wanted = this.#wanted(app)
    // a second run cannot exist if the template fixes the port of the sidecar
    const place = app.sidecar.httpPort === 0 ? httpPort : (wanted?.httpPort ?? 0)
    const port = await freeAppPort(this.#reserved, {
      whose: `"${app.id}"`,
      wanted: [wanted?.appPort ?? 0, ...ownAppPorts(place)]
    })
    this.#reserved.add(port)
    return port
  }

  /** Binds the preferred port, else a free one that no app of the template needs. */
  async #free(app: AppPlan, kind: Kind): Promise<readonly Server[]> {
    const wanted = await this.#tryWanted(app, kind)
    if (wanted !== undefined) return wanted
    try {
      const servers = await listenAnywhere(addresses(app, kind), this.#reserved)
      this.#reserved.add(portOf(servers))
      return this.#keep(app, kind, servers)
    } catch (error) {
      throw await this.#taken(app, kind, error)
    }
  }

  async #tryWanted(app: AppPlan, kind: Kind): Promise<readonly Server[] | undefined> {
    const port = this.#wanted(app)?.[kind] ?? 0
    if (port === 0 || this.#reserved.has(port)) return undefined
    this.#reserved.add(port)
    try {
      return this.#keep(app, kind, await listen(port, addresses(app, kind)))
    } catch {
      return undefined // the port is taken, or the addresses are wrong: the next attempt reports that
    }
  }

  async #taken(app: AppPlan, kind: Kind, cause: unknown): Promise<UserError> {
    const port = app.sidecar[kind]
    const why = codeOf(cause)
    const {file, shownAs} = this.#plan
    const prefix = file === '' ? '' : `Error validating run config for app "${app.id}" present in ${shownAs}: `
    if (port === 0 && why === 'EADDRINUSE' && !hasPort(cause)) return noFreePort(`the sidecar of "${app.id}"`, cause)
    if (port === 0 || NO_ADDRESS.has(why))
      return new UserError(`${prefix}cannot listen on ${addresses(app, kind).join(', ')}`, {
        explanation:
          addresses(app, kind) === LOOPBACK && NO_ADDRESS.has(why)
            ? `This machine has no 127.0.0.1 (${why}). ${GIVE_LOOPBACK}`
            : whyNot(cause, file === '' ? '--dapr-listen-addresses' : 'apiListenAddresses'),
        cause
      })
    const sibling = [...this.#bound].find(([, kinds]) =>
      [...kinds.values()].some(servers => portOf(servers) === port)
    )?.[0]
    const holder = sibling ? `app "${sibling.id}" of this template uses it` : await whoHolds(port, cause)
    const copies =
      file === '' || sibling ? '' : ' If another copy of the template runs, --isolated gives this one ports of its own.'
    return new UserError(`${prefix}invalid configuration for ${KINDS[kind]}. Port ${port} is not available`, {
      explanation: `Port ${port}: ${holder}. Choose another port for "${app.id}", or leave it out to get a free one.${copies}`,
      code: 'port-taken',
      cause
    })
  }
}

/** Error codes for an unknown host name, an address of another machine, or an unsupported address family. */
const NO_ADDRESS = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'])

/** Whether an error is about a specific taken port. */
const hasPort = (error: unknown): boolean => (error as {readonly port?: number}).port !== undefined

function whyNot(cause: unknown, key: string): string {
  const {address = '', hostname = address} = cause as {readonly address?: string; readonly hostname?: string}
  const why = codeOf(cause)
  if (why === 'EADDRINUSE')
    return `One of these addresses includes another: no port is free on all of them. See ${key}.`
  if (!NO_ADDRESS.has(why)) return messageOf(cause)
  return `"${hostname}" is not an address of this machine (${why}). Use IP addresses of this machine in ${key}.`
}

const addresses = (app: AppPlan, kind: Kind): readonly string[] =>
  app.sidecar.listenAddresses.length > 0 && kind !== 'metricsPort' ? app.sidecar.listenAddresses : LOOPBACK
