import type {Server} from 'node:net'
import {codeOf, messageOf, UserError} from '../model/errors.ts'
import type {AppPlan, Plan} from '../model/plan.ts'
import {createClaim, letGo} from '../net/claimed-server.ts'
import {allOrNone} from '../platform/all-or-none.ts'
import {listenOnSocket} from './bind.ts'
import {freeAppPort} from './app-port.ts'

/** The ports of one sidecar, bound by us until the run ends. Each list has a listening server for every address. */
export interface SidecarPorts {
  readonly http: readonly Server[]
  readonly grpc: readonly Server[]
  readonly metrics: readonly Server[]
  readonly httpPort: number
  readonly grpcPort: number
  readonly metricsPort: number
  /** A number that is shown; nothing listens there. */
  readonly internalGrpcPort: number
  /** Where the app listens: the template's number or the one allocated for `autoPort`; 0 = nowhere. */
  readonly appPort: number
}

/** Names who holds a port (`node server.js, pid 4711`), '' where the system does not tell. */
export type NameOwner = (port: number) => Promise<string>

/** Addresses of which one holds another have no port in common, however often one is tried. */
const TRIES = 20

/** Tried in this order. */
export const LOOPBACK = ['127.0.0.1', '::1']

/**
 * Claims every port of the plan before anything starts, those with a number first. Throws a UserError that names port,
 * app and owner when one is taken (the first line is Dapr's, `pkg/standalone/run.go`); what was bound is let go then.
 */
export async function claimPorts(plan: Plan, nameOwner: NameOwner): Promise<readonly SidecarPorts[]> {
  const claim = new Claim(plan, nameOwner)
  try {
    for (const app of plan.apps) await claim.fixed(app)
    return await allOrNone(plan.apps.map(async app => claim.rest(app)))
  } catch (error) {
    claim.letGo()
    throw error
  }
}

/** The keys of a sidecar's ports, with the words that Dapr's message has for them. */
const KINDS = {
  httpPort: 'HTTPPort',
  grpcPort: 'GRPCPort',
  metricsPort: 'MetricsPort',
  internalGrpcPort: 'InternalGRPCPort'
} as const
type Kind = keyof typeof KINDS

class Claim {
  readonly #plan: Plan
  readonly #nameOwner: NameOwner
  readonly #bound = new Map<AppPlan, Map<Kind, readonly Server[]>>()
  readonly #sockets: Server[] = []
  /** Never given out: apps of this template may want them. */
  readonly #spoken = new Set<number>()

  constructor(plan: Plan, nameOwner: NameOwner) {
    this.#plan = plan
    this.#nameOwner = nameOwner
    for (const {channel, fixedPort} of plan.apps) this.#spoken.add(channel.port).add(fixedPort)
  }

  async fixed(app: AppPlan): Promise<void> {
    for (const kind of Object.keys(KINDS) as Kind[]) {
      const port = app.sidecar[kind]
      if (port === 0) continue
      try {
        this.#keep(app, kind, await listen(port, addresses(app, kind)))
      } catch (error) {
        throw await this.#taken(app, kind, error)
      }
    }
  }

  async rest(app: AppPlan): Promise<SidecarPorts> {
    const [http, grpc, metrics, internal] = await allOrNone(
      (Object.keys(KINDS) as Kind[]).map(async kind => this.#bound.get(app)?.get(kind) ?? this.#free(app, kind))
    )
    if (http === undefined || grpc === undefined || metrics === undefined || internal === undefined)
      throw new Error('a kind of port is missing')
    const internalGrpcPort = portOf(internal)
    close(internal)
    return {
      http: [...http, ...(await this.#socket(app))],
      grpc,
      metrics,
      httpPort: portOf(http),
      grpcPort: portOf(grpc),
      metricsPort: portOf(metrics),
      internalGrpcPort,
      appPort: app.channel.autoPort ? await this.#appNumber() : app.channel.port
    }
  }

  letGo(): void {
    close(this.#sockets)
    for (const kinds of this.#bound.values()) for (const servers of kinds.values()) close(servers)
  }

  async #socket({id, sidecar}: AppPlan): Promise<readonly Server[]> {
    if (sidecar.socketFolder === '') return []
    const server = await listenOnSocket(sidecar.socketFolder, id)
    this.#sockets.push(server)
    return [server]
  }

  #keep(app: AppPlan, kind: Kind, servers: readonly Server[]): readonly Server[] {
    const kinds = this.#bound.get(app) ?? new Map<Kind, readonly Server[]>()
    this.#bound.set(app, kinds.set(kind, servers))
    return servers
  }

  async #appNumber(): Promise<number> {
    const port = await freeAppPort(this.#spoken)
    this.#spoken.add(port)
    return port
  }

  /** A port of the system's choice that no app of the template wants. */
  async #free(app: AppPlan, kind: Kind): Promise<readonly Server[]> {
    for (let tries = 1; ; tries++) {
      try {
        const servers = await listen(0, addresses(app, kind))
        const port = portOf(servers)
        if (port === 0 || !this.#spoken.has(port)) {
          this.#spoken.add(port)
          return this.#keep(app, kind, servers)
        }
        close(servers)
      } catch (error) {
        // it is free at the first address and held at another
        if (codeOf(error) !== 'EADDRINUSE' || tries === TRIES) throw await this.#taken(app, kind, error)
      }
    }
  }

  async #taken(app: AppPlan, kind: Kind, cause: unknown): Promise<UserError> {
    const port = app.sidecar[kind]
    const why = codeOf(cause)
    const {file, shownAs} = this.#plan
    const whose = file === '' ? '' : `Error validating run config for app "${app.id}" present in ${shownAs}: `
    if (port === 0 || NO_ADDRESS.has(why))
      return new UserError(`${whose}nothing can listen at ${addresses(app, kind).join(', ')}`, {
        explanation: whyNot(cause, file === '' ? '--dapr-listen-addresses' : 'apiListenAddresses'),
        cause
      })
    const owner = why === 'EADDRINUSE' ? await this.#nameOwner(port) : ''
    const sibling = [...this.#bound].find(([, kinds]) =>
      [...kinds.values()].some(servers => portOf(servers) === port)
    )?.[0]
    const holder = sibling
      ? `app "${sibling.id}" of this template has it`
      : owner === ''
        ? whyTaken(why)
        : `it is held by ${owner}`
    return new UserError(`${whose}invalid configuration for ${KINDS[kind]}. Port ${port.toString()} is not available`, {
      explanation: `Port ${port.toString()}: ${holder}. Choose another number for "${app.id}", or leave it out for a free one.`,
      cause
    })
  }
}

/** A name that nobody knows, an address of another machine, or of no kind that this one has. */
const NO_ADDRESS = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'])

function whyNot(cause: unknown, key: string): string {
  const {address = '', hostname = address} = cause as {readonly address?: string; readonly hostname?: string}
  const why = codeOf(cause)
  if (why === 'EADDRINUSE') return `One of these addresses holds another: no port is free at all of them. See ${key}.`
  if (!NO_ADDRESS.has(why)) return messageOf(cause)
  return `"${hostname}" is no address of this machine (${why}). Write IP addresses of this machine in ${key}.`
}

/** Why a port cannot be had that nobody is known to hold. */
export const whyTaken = (code: string): string =>
  code === 'EACCES' ? 'this user may not listen there (EACCES)' : `it is taken (${code})`

const addresses = (app: AppPlan, kind: Kind): readonly string[] =>
  app.sidecar.listenAddresses.length > 0 && kind !== 'metricsPort' ? app.sidecar.listenAddresses : LOOPBACK

/** Listens on all addresses or on none; port 0: a free one, the same at all. A machine without IPv6 is served on the others. */
export async function listen(port: number, hosts: readonly string[]): Promise<readonly Server[]> {
  const servers: Server[] = []
  try {
    for (const host of hosts) {
      try {
        servers.push(await listenOn(port === 0 ? portOf(servers) : port, host))
      } catch (error) {
        if (!(host === '::1' && NO_IPV6.has(codeOf(error)))) throw error
      }
    }
    return servers
  } catch (error) {
    close(servers)
    throw error
  }
}

const NO_IPV6 = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'])

const listenOn = async (port: number, host: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createClaim()
    server.once('error', reject).listen({port, host, backlog: 1024, exclusive: true}, () => {
      resolve(server.off('error', reject))
    })
  })

/** The port of servers that listen; 0: of none. */
export function portOf(servers: readonly Server[]): number {
  const address = servers[0]?.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function close(servers: readonly Server[]): void {
  for (const server of servers) letGo(server)
}
