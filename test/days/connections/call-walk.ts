import {admitTo, type Callee} from '../../../src/proxy/gateway/local-apps.ts'
import {AdmissionQueue} from '../../../src/proxy/gateway/admission-queue.ts'
import type {Admit} from '../../../src/proxy/gateway/admission.ts'
import {ConcurrencyLimiter} from '../../../src/proxy/gateway/concurrency-limiter.ts'
import {ExternalEndpoints} from '../../../src/proxy/gateway/external-endpoints.ts'
import {HeldBodies} from '../../../src/proxy/gateway/held-bodies.ts'
import {PageGuard} from '../../../src/proxy/gateway/page-guard.ts'
import {Faults} from '../../../src/proxy/faults/faults.ts'
import {Pool} from '../../../src/proxy/net/pool.ts'
import {listen, portOf} from '../../../src/proxy/ports/bind.ts'
import {PublishedPort} from '../../../src/proxy/published/published-port.ts'
import {Sidecar} from '../../../src/dapr/sidecar/sidecar.ts'
import type {AppResources} from '../../../src/files/resources/app-resources.ts'
import {policiesOf} from '../../integration/dapr/sidecar/policies.ts'
import {Random} from '../../fuzz/random.ts'
import type {SeedWalk} from '../seeds.ts'
import {CallApp} from './call-app.ts'
import {CallCaller, type Place} from './call-caller.ts'
import {SeenCalls} from './seen-calls.ts'

/** Turns of the event loop in which all that is under way must end. */
const END_TURNS = 20_000

const RETRIES = `policies: {timeouts: {t: 1h}, retries: {r: {policy: constant, duration: 1ms, maxRetries: 2}}}
  targets: {apps: {b: {timeout: t, retry: r}}}`

const FAULT = {
  from: 'any',
  actor: '',
  method: '',
  path: '',
  jitterMs: 0,
  status: 503,
  body: 'a fault',
  seed: 1,
  times: Infinity,
  forMs: Infinity
}

/** A warning that no broken answer explains. */
const isOdd = (text: string): boolean => !/broke off|closed|cut/i.test(text)

const turn = async (): Promise<unknown> => new Promise(setImmediate)

/**
 * Callers send requests of HTTP/1 in all its forms, at a sidecar, a published port and an endpoint outside, while their app is reloaded, killed and
 * has faults. Each gets the whole answer to what it has asked; a reload loses none; what may not come twice comes once; all that was taken is given back.
 */
export async function walkCalls({seed, steps}: {readonly seed: number; readonly steps: number}): Promise<SeedWalk> {
  const walk = new Walk(new Random('calls', seed), seed)
  await walk.open()
  const done: string[] = []
  for (let step = 1; step <= steps; step++) done.push(await walk.step())
  return {faults: await walk.end(), steps: done}
}

class Walk {
  readonly #random: Random
  readonly #faults: string[] = []
  readonly #app: CallApp
  readonly #outside: CallApp
  readonly #callers: CallCaller[] = []
  readonly #queue = new AdmissionQueue({timeoutMs: Infinity})
  readonly #limiter: ConcurrencyLimiter
  readonly #held = new HeldBodies()
  readonly #seen = new SeenCalls()
  readonly #rules = new Faults({tell: () => undefined, kill: () => void this.#kill()})
  readonly #isPoliced: boolean
  readonly #isFast: boolean
  #pool: Pool
  #pools: Pool[] = []
  #requests = 0
  #reload: Promise<void> | undefined
  #closing: (() => Promise<unknown>)[] = []
  #rule = 0

  constructor(random: Random, seed: number) {
    this.#random = random
    this.#app = new CallApp(random)
    this.#outside = new CallApp(random)
    this.#isPoliced = seed % 3 === 0
    this.#isFast = seed % 4 !== 1
    const limit = seed % 5 === 2 ? 2 : 0
    this.#limiter = new ConcurrencyLimiter(() => limit)
    this.#pool = this.#newPool()
  }

  async open(): Promise<void> {
    await this.#app.open(0)
    await this.#outside.open(0)
    this.#pool = this.#newPool()
    this.#queue.open()
    const snapshot = {endpoints: []} as unknown as AppResources['snapshot']
    const resources = {snapshot, onChange: () => () => undefined} as unknown as AppResources
    const external = new ExternalEndpoints({resources, apps: this.#admit})
    const servers = await listen(0, ['127.0.0.1'])
    const sidecarPort = portOf(servers)
    const {interceptor} = await policiesOf(RETRIES)
    const warn = (text: string): void => void this.#faults.push(`a warning: ${text}`)
    const sidecar = new Sidecar({
      appId: 'a',
      servers,
      admit: external.admit,
      facts: () => Promise.reject(new Error('there are none')) as never,
      wasReady: () => true,
      requestShutdown: () => undefined,
      blocks: async () => Promise.reject(new Error('there are none')),
      limits: {maxBodyBytes: 4 << 20, readBufferBytes: 4096},
      allowedHosts: [],
      tokens: {api: '', app: ''},
      warn: text => void (isOdd(text) && warn(text)),
      hasFastPath: this.#isFast,
      rules: {interceptor: this.#isPoliced ? interceptor : undefined, pipeline: []},
      tracing: {isTracing: true, tracer: undefined},
      pages: new PageGuard([]),
      apiAccess: () => undefined,
      key: '',
      identity: {namespace: 'default', address: '10.1.2.3', hostName: 'laptop'},
      faults: {active: this.#rules},
      observer: this.#seen
    })
    const claims = await listen(0, ['127.0.0.1'])
    const publishedPort = portOf(claims)
    const context = {
      callee: 'b',
      heldBodies: this.#held,
      admit: this.#admit,
      isOpen: () => this.#queue.isOpen,
      lastLines: () => [],
      faults: {active: this.#rules},
      observer: this.#seen,
      warn: (text: string) => void (isOdd(text) && warn(text))
    }
    const published = new PublishedPort(
      claims,
      () => context,
      () => ''
    )
    this.#closing = [
      async () => sidecar.close(AbortSignal.abort()),
      async () => published.close(AbortSignal.abort()),
      async () => Promise.resolve(external.close())
    ]
    const outside = encodeURIComponent(`http://127.0.0.1:${this.#outside.port}`)
    const at = {port: sidecarPort, hasInterim: false, isOutside: false}
    const places: readonly Place[] = [
      {...at, name: 'the sidecar', prefix: '/v1.0/invoke/b/method/'},
      {...at, name: 'an endpoint', prefix: `/v1.0/invoke/${outside}/method/`, isOutside: true},
      {...at, name: 'the port', port: publishedPort, prefix: '/', hasInterim: true}
    ]
    // a silent connection may be one to an app that speaks first, until it has answered in HTTP
    await (await fetch(`http://127.0.0.1:${publishedPort}/first/none/0`)).text()
    for (const place of [...places, ...places, ...places])
      this.#callers.push(new CallCaller(this.#random, place, this.#faults))
  }

  async step(): Promise<string> {
    const random = this.#random
    const done = this.#act(random.below(16), random.pick(this.#callers))
    for (let turns = random.below(4); turns > 0; turns--) await turn()
    return done
  }

  async end(): Promise<readonly string[]> {
    const faults = this.#faults
    this.#removeRule()
    const isUnderWay = (): boolean => this.#reload !== undefined || this.#callers.some(({asked}) => asked.length > 0)
    for (let turns = 0; turns < END_TURNS && isUnderWay(); turns++) {
      for (const caller of this.#callers) caller.finish()
      await turn()
    }
    if (this.#reload !== undefined) faults.push('a reload does not end')
    for (const {asked, place} of this.#callers)
      for (const {id, kind, method} of asked)
        faults.push(`${id} (${method} ${kind}) is never answered at ${place.name}`)
    for (const caller of this.#callers) caller.close()
    await this.#checkRest()
    this.#checkCounts()
    for (const close of this.#closing) await close()
    this.#app.end()
    this.#outside.end()
    return [...faults, ...this.#app.faults, ...this.#outside.faults]
  }

  /** Nothing came more often than it may. */
  #checkCounts(): void {
    for (const {answered, place} of this.#callers) {
      const {received, begun} = place.isOutside ? this.#outside : this.#app
      for (const {id, method, kind, harm} of answered) {
        const times = received.get(id) ?? 0
        const mayComeAgain =
          method === 'GET' || method === 'HEAD' || (this.#isPoliced && (harm !== '' || kind === 'mute'))
        if (times > 1 && !mayComeAgain)
          this.#faults.push(`${id} (${method} ${kind}) has come ${times} times from ${place.name}`)
        if (harm === '' && kind !== 'early' && times === 0)
          this.#faults.push(`${id} (${method} ${kind}) has never come`)
        if ((begun.get(id) ?? 0) > 6) this.#faults.push(`${id} has begun ${begun.get(id)} times`)
      }
    }
    const answered = this.#callers.flatMap(each => each.answered)
    this.#faults.push(...this.#seen.faults, ...answered.flatMap(each => this.#seen.faultOf(each) ?? []))
  }

  /** All that was taken is given back. */
  async #checkRest(): Promise<void> {
    for (let turns = 0; turns < 2000 && !(await this.#isAtRest()); turns++) await turn()
    if (!(await this.#isAtRest())) this.#faults.push(`calls are under way: ${this.#queue.held.length} wait`)
    for (const pool of this.#pools) pool.retire()
    for (let turns = 0; turns < 2000 && this.#app.sockets.size > 0; turns++) await turn()
    if (this.#app.sockets.size > 0) this.#faults.push(`${this.#app.sockets.size} connections to the app are left`)
    if (!this.#held.hold(64 * 1024 * 1024)) this.#faults.push('bodies are held')
  }

  async #isAtRest(): Promise<boolean> {
    let isAtRest = false
    void this.#queue.drained(AbortSignal.timeout(1)).then(value => (isAtRest = value))
    await turn()
    return isAtRest && this.#queue.waiting === 0
  }

  #act(kind: number, caller: CallCaller): string {
    const random = this.#random
    if (kind < 6) {
      const id = `r${this.#requests + 1}`
      const done = caller.ask(id, false)
      if (done !== '') this.#requests++
      for (const each of this.#rule > 0 ? caller.asked : []) each.harm ||= 'a fault'
      return done || 'ask nothing'
    }
    if (kind < 9) {
      caller.send(1 + random.below(4))
      return `send, ${caller.place.name}`
    }
    if (kind === 9) {
      const isReading = random.oneIn(2)
      caller.read(isReading)
      return `${caller.place.name}: ${isReading ? 'read' : 'no read'}`
    }
    if (kind === 10 && random.oneIn(3)) {
      caller.leave(random.pick(['destroy', 'resetAndDestroy']))
      return `${caller.place.name}: leave`
    }
    if (kind === 11 && random.oneIn(3)) return this.#startReload()
    if (kind === 12 && random.oneIn(6)) return this.#kill()
    if (kind === 13 && random.oneIn(3)) return this.#changeFault()
    for (const each of this.#callers) {
      if (random.oneIn(2)) each.read(true)
      each.send(Infinity)
    }
    return 'send all'
  }

  #changeFault(): string {
    if (this.#removeRule()) return 'no fault'
    const random = this.#random
    const kind = random.pick(['none', 'status', 'abort', 'never', 'cut', 'kill'] as const)
    this.#rule = this.#rules.add({
      ...FAULT,
      kind,
      to: random.pick(['any', 'b']),
      delayMs: kind === 'none' || random.oneIn(3) ? 1 + random.below(3) : 0,
      cutAfter: random.pick([0, 3, 100_000]),
      rate: random.pick([0.3, 1])
    })
    for (const {asked} of this.#callers) for (const each of asked) each.harm ||= 'a fault'
    return `fault: ${kind}`
  }

  #removeRule(): boolean {
    if (this.#rule === 0) return false
    this.#rules.remove(this.#rule)
    this.#rule = 0
    return true
  }

  /** Calls wait until those in flight have ended, and another process takes its place. */
  #startReload(): string {
    if (this.#reload !== undefined) return 'a reload is under way'
    this.#harm('a reload', kind => kind === 'websocket')
    this.#reload = this.#random.oneIn(2) ? this.#replace() : this.#overlap()
    return 'reload'
  }

  async #replace(): Promise<void> {
    this.#queue.pause('it is reloaded')
    await this.#queue.drained()
    this.#app.end()
    this.#renew()
    for (let turns = this.#random.below(10); turns > 0; turns--) await turn()
    await this.#app.open()
    this.#queue.unpause('it is reloaded')
    this.#reload = undefined
  }

  /** Another process listens at another port, and calls in flight stay at the one before. */
  async #overlap(): Promise<void> {
    await Promise.resolve()
    this.#renew()
    this.#reload = undefined
  }

  /** Its process is killed, and starts again. */
  #kill(): string {
    if (this.#reload !== undefined) return 'a reload is under way'
    this.#harm('a kill', () => true)
    this.#app.end()
    this.#queue.hold('it was killed')
    this.#reload = this.#start()
    return 'kill'
  }

  async #start(): Promise<void> {
    for (let turns = this.#random.below(10); turns > 0; turns--) await turn()
    this.#renew()
    await this.#app.open()
    this.#queue.open()
    this.#reload = undefined
  }

  #harm(why: string, isHit: (kind: string) => boolean): void {
    for (const {asked, place} of this.#callers)
      for (const each of asked) if (!place.isOutside && isHit(each.kind)) each.harm ||= why
  }

  #renew(): void {
    this.#pool.retire()
    this.#pool = this.#newPool()
  }

  #newPool(): Pool {
    const pool = new Pool({hosts: ['127.0.0.1'], port: this.#app.port})
    this.#pools.push(pool)
    return pool
  }

  readonly #admit: Admit = (call, isRefused) => {
    const queue = this.#queue
    if (isRefused === true && queue.isOpen) {
      // as a check of whether it listens
      queue.hold('it refused a connection')
      setImmediate(() => {
        if (this.#reload === undefined) queue.open()
      })
    }
    const callee: Callee = {
      id: 'b',
      appPort: this.#app.port,
      queue,
      limiter: this.#limiter,
      pool: this.#pool,
      pid: 1,
      opening: {accessControl: undefined, identity: undefined},
      token: '',
      isUnhealthy: false,
      recheck: () => undefined
    }
    return admitTo(callee, call)
  }
}
