import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import type {CallHandler} from '../../../src/proxy/net/exchange-parts.ts'
import {CallJournal} from '../../../src/proxy/net/call-journal.ts'
import {PLAIN_RULES} from '../../../src/proxy/net/http1/response-head.ts'
import {Pool} from '../../../src/proxy/net/pool.ts'
import {Random} from '../../fuzz/random.ts'
import {CALLER_CONNECTIONS, type BeginCall} from '../../rig/caller-connections.ts'
import type {SeedWalk} from '../seeds.ts'
import {HttpApp} from './http-app.ts'
import {HttpCaller} from './http-caller.ts'

const CALLERS = 6
/** So often a call asks for an app that is not there. */
const MAX_REFUSALS = 1000
/** Turns of the event loop in which all that is under way must end. */
const END_TURNS = 20_000

const nothing = (): void => undefined
const turn = async (): Promise<unknown> => new Promise(setImmediate)

/**
 * Callers and an app end their connections whenever they like, and the app is replaced. No request comes twice, though those of an idle
 * connection that has ended go to another one; each caller gets the answer to what it has asked, or is cut; and all comes to an end.
 */
export async function walkConnections({
  seed,
  steps
}: {
  readonly seed: number
  readonly steps: number
}): Promise<SeedWalk> {
  const done: string[] = []
  const faults: string[] = []
  for (const [where, serve] of Object.entries(CALLER_CONNECTIONS)) {
    const walk = new Walk(new Random('connections', seed, where))
    await walk.open(serve)
    for (let step = 1; step <= steps; step++) done.push(await walk.step())
    faults.push(...(await walk.end()).map(fault => `${where}: ${fault}`))
  }
  return {faults, steps: done}
}

class Walk {
  readonly #random: Random
  readonly #app: HttpApp
  readonly #callers: HttpCaller[] = []
  readonly #front = net.createServer({allowHalfOpen: true, noDelay: true})
  readonly #sockets = new Set<net.Socket>()
  #pool: Pool
  #requests = 0

  constructor(random: Random) {
    this.#random = random
    this.#app = new HttpApp(random)
    this.#pool = this.#newPool()
  }

  async open(serve: (socket: net.Socket, begin: BeginCall) => void): Promise<void> {
    await this.#app.open()
    this.#pool = this.#newPool()
    this.#front.on('connection', (socket: net.Socket) => {
      this.#sockets.add(socket)
      serve(socket, this.#begin)
    })
    await once(this.#front.listen(0, '127.0.0.1'), 'listening')
    const {port} = this.#front.address() as AddressInfo
    for (let n = 0; n < CALLERS; n++) this.#callers.push(new HttpCaller(this.#random, port, this.#app))
  }

  async step(): Promise<string> {
    const random = this.#random
    const done = await this.#act(random.below(12), random.pick(this.#callers))
    for (let turns = random.below(3); turns > 0; turns--) await turn()
    return done
  }

  /** The app is well at last: all that was asked must be answered. Gives what was wrong. */
  async end(): Promise<readonly string[]> {
    const {faults, received} = this.#app
    this.#app.isWell = true
    for (let turns = 0; turns < END_TURNS && this.#callers.some(({asked}) => asked !== undefined); turns++) {
      for (const caller of this.#callers) caller.send(Infinity)
      await turn()
    }
    for (const {asked} of this.#callers) if (asked !== undefined) faults.push(`${asked.id} is never answered`)
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

  async #act(kind: number, caller: HttpCaller): Promise<string> {
    const random = this.#random
    if (kind < 4) return caller.ask(`${++this.#requests}`) ? `ask ${this.#requests}` : 'ask nothing'
    if (kind < 7) {
      caller.send(1 + random.below(3))
      return 'send'
    }
    if (kind === 7 && this.#app.sockets.size > 0) {
      const how = random.pick(['destroy', 'end'] as const)
      random.pick([...this.#app.sockets])[how]()
      return `the app: ${how}`
    }
    if (kind === 8 && random.oneIn(6)) {
      await this.#replace()
      return 'the app is replaced'
    }
    if (kind === 9 && random.oneIn(8)) {
      caller.leave()
      return 'a caller leaves'
    }
    if (kind === 10 && random.oneIn(6)) {
      this.#renew()
      return 'a new pool'
    }
    for (const each of this.#callers) each.send(Infinity)
    return 'send all'
  }

  async #replace(): Promise<void> {
    this.#app.end()
    if (this.#random.oneIn(2)) this.#renew()
    for (let turns = this.#random.below(4); turns > 0; turns--) await turn()
    if (this.#random.oneIn(2)) this.#renew()
    await this.#app.open()
  }

  #renew(): void {
    this.#pool.retire()
    this.#pool = this.#newPool()
  }

  #newPool(): Pool {
    return new Pool({hosts: ['127.0.0.1'], port: this.#app.port})
  }

  /** Sends a call as the gateway does: one that is refused asks again, for the process that there is then. */
  readonly #begin: BeginCall = (connection, head) => {
    const {faults} = this.#app
    const call = {caller: 'web', callee: 'shop', method: head.split(' ')[0] ?? '', path: '/'}
    const reply = (status: number, body: string): void => exchange.reply({status, type: 'text/plain', body, lines: ''})
    let refusals = 0
    let isOver = false
    const again = (): void => {
      if (!isOver) exchange.send(this.#pool, head)
    }
    const handler: CallHandler = {
      journal: new CallJournal(call, {protocol: 'HTTP/1.1', ...call, lines: ''}, undefined, undefined),
      rules: PLAIN_RULES,
      broken: undefined,
      copy: undefined,
      headersFor: ({lines}) => lines,
      refused: why => {
        if (++refusals > MAX_REFUSALS) reply(503, why)
        else setImmediate(again)
      },
      resent: nothing,
      failed: why => reply(502, why),
      cut: nothing,
      crashed: error => void faults.push(error instanceof Error ? (error.stack ?? '') : String(error)),
      over: () => {
        if (isOver) faults.push('a call has ended twice')
        isOver = true
      }
    }
    const exchange = connection.begin(handler)
    exchange.send(this.#pool, head)
  }
}
