import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import type {CallContext} from '../../../src/proxy/gateway/call-context.ts'
import {AdmissionQueue} from '../../../src/proxy/gateway/admission-queue.ts'
import {ConcurrencyLimiter} from '../../../src/proxy/gateway/concurrency-limiter.ts'
import {HeldBodies} from '../../../src/proxy/gateway/held-bodies.ts'
import {admitTo, type Callee} from '../../../src/proxy/gateway/local-apps.ts'
import {Pool} from '../../../src/proxy/net/pool.ts'
import {serveFrames} from '../../../src/proxy/published/frame-calls.ts'
import type {PublishedContext} from '../../../src/proxy/published/published-port-call.ts'
import {Random} from '../../fuzz/random.ts'
import type {SeedWalk} from '../seeds.ts'
import {StreamApp} from './stream-app.ts'
import {StreamCaller} from './stream-caller.ts'

const CALLERS = 3
/** Turns of the event loop in which all that is under way must end. */
const END_TURNS = 20_000
/** What is held of the bodies of calls that wait is given back. */
const HELD_BYTES = 64 << 20

const turn = async (): Promise<unknown> => new Promise(setImmediate)

/**
 * Callers and an app of HTTP/2 end streams and connections and change their windows whenever they like, and the app is replaced. No POST comes
 * twice, each stream ends with the whole answer or as broken off, neither side finds a fault of ours, and nothing is left of a call.
 */
export async function walkStreams({seed, steps}: {readonly seed: number; readonly steps: number}): Promise<SeedWalk> {
  const done: string[] = []
  const walk = new Walk(new Random('streams', seed))
  await walk.open()
  for (let step = 1; step <= steps; step++) done.push(await walk.step())
  return {faults: await walk.end(), steps: done}
}

class Walk {
  readonly #random: Random
  readonly #app: StreamApp
  readonly #callers: StreamCaller[] = []
  readonly #front = net.createServer({allowHalfOpen: true, noDelay: true})
  readonly #sockets = new Set<net.Socket>()
  readonly #queue = new AdmissionQueue({timeoutMs: 60_000})
  readonly #limiter = new ConcurrencyLimiter(() => 0)
  readonly #heldBodies = new HeldBodies()
  #pool: Pool
  #requests = 0

  constructor(random: Random) {
    this.#random = random
    this.#app = new StreamApp(random)
    this.#pool = this.#newPool()
  }

  async open(): Promise<void> {
    await this.#app.listen()
    this.#pool = this.#newPool()
    this.#queue.open()
    this.#front.on('connection', (socket: net.Socket) => {
      this.#sockets.add(socket)
      serveFrames({
        socket,
        context: () => this.#context(),
        warn: () => undefined,
        caller: () => 'web',
        onStart: () => undefined,
        onEnd: () => undefined
      })
    })
    await once(this.#front.listen(0, '127.0.0.1'), 'listening')
    const {port} = this.#front.address() as AddressInfo
    for (let n = 0; n < CALLERS; n++) this.#callers.push(new StreamCaller(this.#random, port, this.#app))
  }

  async step(): Promise<string> {
    const done = await this.#act()
    for (let turns = this.#random.below(4); turns > 0; turns--) await turn()
    return done
  }

  /** The app is well at last: all that was asked must end. Gives what was wrong. */
  async end(): Promise<readonly string[]> {
    const {faults, received} = this.#app
    this.#queue.open()
    for (let turns = 0; turns < END_TURNS && this.#isBusy; turns++) {
      if (turns % 50 === 0) this.#app.recover()
      if (turns % 50 === 0) for (const caller of this.#callers) caller.recover()
      await turn()
    }
    for (const {asked} of this.#callers) for (const id of asked.keys()) faults.push(`${id} never ends`)
    if (this.#queue.inFlight.size > 0)
      faults.push(`calls are left: ${[...this.#queue.inFlight.keys()].map(({path}) => path).join(' ')}`)
    const {streams} = this.#app
    if (streams.length > 0) faults.push(`streams to the app are left: ${streams.map(({id}) => id).join(' ')}`)
    if (!this.#heldBodies.hold(HELD_BYTES)) faults.push('bodies are still held')
    for (const [request, times] of received)
      if (times > 1 && request.startsWith('POST')) faults.push(`${request} has come ${times} times`)
    if (this.#callers.every(({answered}) => answered === 0)) faults.push('nothing was answered')
    for (const caller of this.#callers) caller.close()
    this.#pool.cut()
    this.#front.close()
    this.#app.end()
    for (const socket of this.#sockets) socket.destroy()
    return faults
  }

  get #isBusy(): boolean {
    return (
      this.#callers.some(({asked}) => asked.size > 0) || this.#queue.inFlight.size > 0 || this.#app.streams.length > 0
    )
  }

  async #act(): Promise<string> {
    const random = this.#random
    const caller = random.pick(this.#callers)
    const kind = random.below(20)
    if (kind < 5) {
      caller.ask(`${++this.#requests}`)
      return `ask ${this.#requests}`
    }
    if (kind < 12) return caller.act()
    if (kind < 18) return this.#app.act()
    if (kind === 18 && random.oneIn(5)) {
      await this.#replace()
      return 'the app is replaced'
    }
    if (kind === 19 && this.#queue.state === 'open') this.#queue.hold('it starts')
    else this.#queue.open()
    return `the queue is ${this.#queue.state}`
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
    return new Pool({hosts: ['127.0.0.1'], port: this.#app.port})
  }

  #context(): PublishedContext {
    const callee: Pick<Callee, 'id' | 'appPort' | 'queue' | 'limiter' | 'pool' | 'pid' | 'token' | 'isUnhealthy'> = {
      id: 'shop',
      appPort: this.#app.port,
      queue: this.#queue,
      limiter: this.#limiter,
      pool: this.#pool,
      pid: 1,
      token: '',
      isUnhealthy: false
    }
    const shared: Pick<CallContext, 'heldBodies'> = {heldBodies: this.#heldBodies}
    return {
      ...shared,
      callee: 'shop',
      admit: call =>
        admitTo({...callee, opening: {accessControl: undefined, identity: undefined}, recheck: () => undefined}, call),
      isOpen: () => this.#queue.isOpen,
      lastLines: () => [],
      warn: text => void this.#app.faults.push(text)
    }
  }
}
