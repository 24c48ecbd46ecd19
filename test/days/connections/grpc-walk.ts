import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import {openGrpcPort, type OpenGrpcPort} from '../../../src/dapr/sidecar/ports.ts'
import type {GrpcContext} from '../../../src/dapr/sidecar/grpc/grpc-server.ts'
import type {CallRecord} from '../../../src/model/call.ts'
import type {FaultKind} from '../../../src/model/fault.ts'
import {Faults} from '../../../src/proxy/faults/faults.ts'
import {AdmissionQueue} from '../../../src/proxy/gateway/admission-queue.ts'
import {ConcurrencyLimiter} from '../../../src/proxy/gateway/concurrency-limiter.ts'
import {hostGuard} from '../../../src/proxy/gateway/guards.ts'
import {HeldBodies} from '../../../src/proxy/gateway/held-bodies.ts'
import type {Interceptor} from '../../../src/proxy/gateway/interceptor.ts'
import {admitTo} from '../../../src/proxy/gateway/local-apps.ts'
import {PageGuard} from '../../../src/proxy/gateway/page-guard.ts'
import {Pool} from '../../../src/proxy/net/pool.ts'
import {Random} from '../../fuzz/random.ts'
import {policiesOf} from '../../integration/dapr/sidecar/policies.ts'
import type {SeedWalk} from '../seeds.ts'
import {GrpcApp} from './grpc-app.ts'
import {GrpcCaller} from './grpc-caller.ts'

const CALLERS = 3
/** Turns of the event loop in which all that is under way must end. */
const END_TURNS = 20_000
/** What is held of the bodies of calls that wait is given back. */
const HELD_BYTES = 64 << 20
const MAX_MESSAGE_BYTES = 250_000
const RETRIES = 2
const POLICIES = `policies: {retries: {r: {policy: constant, duration: 1ms, maxRetries: ${RETRIES}}}, timeouts: {t: 50ms}}
  targets: {apps: {shop: {retry: r, timeout: t}}}`
const KINDS_OF_CALLS = ['Call', 'Call', 'Call', 'Retried', 'Faulted']
const KINDS: readonly FaultKind[] = ['none', 'status', 'abort', 'never', 'cut', 'kill']

const turn = async (): Promise<unknown> => new Promise(setImmediate)
const timers = (): number => process.getActiveResourcesInfo().filter(each => each === 'Timeout').length

/**
 * Callers of the gRPC port of a sidecar and an app of gRPC end calls and connections and change their windows whenever they like, and the app is
 * replaced. Each call ends once and with one status, which its record has; none comes twice without a policy; messages come whole and in their
 * order; neither side finds a fault of ours; and nothing is left of a call.
 */
export async function walkGrpc({seed, steps}: {readonly seed: number; readonly steps: number}): Promise<SeedWalk> {
  const done: string[] = []
  const {interceptor} = await policiesOf(POLICIES)
  const walk = new Walk(new Random('grpc', seed), interceptor)
  await walk.open()
  for (let step = 1; step <= steps; step++) done.push(await walk.step())
  return {faults: await walk.end(), steps: done}
}

class Walk {
  readonly #random: Random
  readonly #app: GrpcApp
  readonly #callers: GrpcCaller[] = []
  readonly #front = net.createServer()
  readonly #queue = new AdmissionQueue({timeoutMs: 60_000})
  readonly #limiter = new ConcurrencyLimiter(() => 0)
  readonly #heldBodies = new HeldBodies()
  readonly #records: CallRecord[] = []
  readonly #faults: Faults
  readonly #policies: Interceptor
  readonly #timers = timers()
  #pool: Pool
  #port: OpenGrpcPort | undefined
  #calls = 0

  constructor(random: Random, policies: Interceptor) {
    this.#random = random
    this.#app = new GrpcApp(random)
    this.#policies = policies
    this.#faults = new Faults({tell: () => undefined, kill: () => this.#app.cut()})
    this.#pool = this.#newPool()
  }

  async open(): Promise<void> {
    await this.#app.listen()
    this.#pool = this.#newPool()
    this.#queue.open()
    await once(this.#front.listen(0, '127.0.0.1'), 'listening')
    const {port} = this.#front.address() as AddressInfo
    this.#port = openGrpcPort([this.#front], this.#context())
    for (let n = 0; n < CALLERS; n++) this.#callers.push(new GrpcCaller(this.#random, port, this.#app))
  }

  async step(): Promise<string> {
    const done = await this.#act()
    for (let turns = this.#random.below(4); turns > 0; turns--) await turn()
    return done
  }

  /** The app is well at last: all that was asked must end. Gives what was wrong. */
  async end(): Promise<readonly string[]> {
    const {faults} = this.#app
    this.#queue.open()
    this.#faults.removeAll()
    await this.#rest()
    for (const caller of this.#callers) {
      for (let turns = 0; turns < END_TURNS && !caller.ask(`${++this.#calls}.`, ['Call']); turns++) await turn()
      await this.#rest()
      // a deadline, and a message that is too large, are its own doing
      const {id = '', statuses = []} = caller.over.at(-1) ?? {}
      if (![0, 4, 8].includes(statuses[0] ?? -1)) faults.push(`${id} has status ${statuses[0]} though all is well`)
    }
    for (const {asked} of this.#callers) for (const id of asked.keys()) faults.push(`${id} never ends`)
    if (this.#queue.inFlight.size > 0)
      faults.push(`calls are left: ${[...this.#queue.inFlight.keys()].map(({path}) => path).join(' ')}`)
    const {streams} = this.#app
    if (streams.length > 0) faults.push(`streams to the app are left: ${streams.map(({id}) => id).join(' ')}`)
    if (!this.#heldBodies.hold(HELD_BYTES)) faults.push('bodies are still held')
    this.#checkCalls(faults)
    for (const caller of this.#callers) caller.close()
    await this.#port?.close(AbortSignal.timeout(1000))
    this.#pool.cut()
    this.#app.end()
    for (let turns = 0; turns < END_TURNS && timers() > this.#timers; turns++) await turn()
    if (timers() > this.#timers) faults.push(`${timers() - this.#timers} timers are left`)
    return faults
  }

  /** Until all has ended, or should have. */
  async #rest(): Promise<void> {
    for (let turns = 0; turns < END_TURNS && this.#isBusy; turns++) {
      if (turns % 50 === 0) this.#app.recover()
      if (turns % 50 === 0) for (const caller of this.#callers) caller.recover()
      await turn()
    }
  }

  #checkCalls(faults: string[]): void {
    for (const {id, path, statuses, isGivenUp} of this.#callers.flatMap(({over}) => over)) {
      const times = this.#app.received(id)
      if (times > (path.includes('Retried') ? 1 + RETRIES : 1)) faults.push(`${id} ${path} has come ${times} times`)
      if (!path.endsWith(id)) continue
      const records = this.#records.filter(({call}) => call.path === path)
      if (records.length > 1 || (records.length === 0 && !isGivenUp))
        faults.push(`${id} ${path} has ${records.length} records`)
      const [status] = statuses
      if (status !== undefined && records.some(({grpcStatus}) => grpcStatus !== status))
        faults.push(`${id} ${path} ended with ${status}, and its record with ${records[0]?.grpcStatus}`)
    }
  }

  get #isBusy(): boolean {
    return (
      this.#callers.some(({asked}) => asked.size > 0) || this.#queue.inFlight.size > 0 || this.#app.streams.length > 0
    )
  }

  async #act(): Promise<string> {
    const random = this.#random
    const kind = random.below(21)
    if (kind < 6) {
      random.pick(this.#callers).ask(`${++this.#calls}.`, KINDS_OF_CALLS)
      return `ask ${this.#calls}`
    }
    if (kind < 12) return random.pick(this.#callers).act()
    if (kind < 18) return this.#app.act()
    if (kind === 18 && random.oneIn(5)) {
      await this.#replace()
      return 'the app is replaced'
    }
    if (kind === 19) return this.#addFault()
    if (kind === 20 && this.#queue.state === 'open') this.#queue.hold('it starts')
    else this.#queue.open()
    return `the queue is ${this.#queue.state}`
  }

  #addFault(): string {
    this.#faults.removeAll()
    const kind = this.#random.pick(KINDS)
    const any = {from: 'any', to: 'any', actor: '', method: '', path: '/walk.S/Faulted*', jitterMs: 0, body: ''}
    const cutAfter = this.#random.pick([0, 4, 1000])
    const delayMs = this.#random.below(2)
    this.#faults.add({...any, kind, cutAfter, delayMs, status: 503, rate: 0.7, seed: 1, times: 5, forMs: Infinity})
    return `a fault: ${kind}`
  }

  async #replace(): Promise<void> {
    this.#queue.hold('it is replaced')
    this.#app.end()
    this.#pool.retire()
    this.#pool = this.#newPool()
    for (let turns = this.#random.below(4); turns > 0; turns--) await turn()
    await this.#app.listen()
    this.#queue.open()
  }

  #newPool(): Pool {
    return new Pool({hosts: ['127.0.0.1'], port: this.#app.port, protocol: 'grpc'})
  }

  #context(): GrpcContext {
    const intercept: Interceptor['intercept'] = call =>
      call.path.includes('Retried') ? this.#policies.intercept(call) : undefined
    const sidecar = {
      appId: 'web',
      maxBodyBytes: MAX_MESSAGE_BYTES,
      appToken: '',
      heldBodies: this.#heldBodies,
      interceptor: {intercept},
      faults: {active: this.#faults},
      warn: (text: string) => void this.#app.faults.push(text),
      recorded: (record: CallRecord) => void this.#records.push(record),
      callerHeaders: () => '',
      admit: (call: Parameters<GrpcContext['sidecar']['admit']>[0]) => admitTo(this.#callee(), call)
    }
    const guards = {
      isAllowedHost: hostGuard([]),
      apiToken: '',
      tracing: {isTracing: true, tracer: undefined},
      pages: new PageGuard([])
    }
    return {
      sidecar: {...sidecar, contextFor: () => sidecar},
      guards,
      maxHeadBytes: 65_536,
      protocolOf: () => 'grpc',
      own: {} as GrpcContext['own'],
      apiAccess: () => undefined
    }
  }

  #callee(): Parameters<typeof admitTo>[0] {
    return {
      id: 'shop',
      appPort: this.#app.port,
      queue: this.#queue,
      limiter: this.#limiter,
      pool: this.#pool,
      pid: 1,
      token: '',
      isUnhealthy: false,
      opening: {accessControl: undefined, identity: undefined},
      recheck: () => undefined
    }
  }
}
