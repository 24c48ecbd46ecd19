import {
  ActorError,
  type ActorAnswer,
  type ActorCaller,
  type ActorHost,
  type ActorRequest,
  type TypeSettings
} from '../../src/work/actor/actor-host.ts'
import {Actors} from '../../src/work/actor/actors.ts'
import {TestClock} from './clock.ts'

/** How a test hosts actors that asks for nothing special. */
export const SETTINGS: TypeSettings = {idleMs: 60_000, drainMs: 2000, drains: true, isReentrant: false, maxDepth: 32}

/** The types of a process. */
export const types = (
  names: readonly string[],
  settings: Partial<TypeSettings> = {}
): ReadonlyMap<string, TypeSettings> => new Map(names.map(name => [name, {...SETTINGS, ...settings}]))

/** A request that the app has, and has not answered. */
interface Open {
  readonly request: ActorRequest
  readonly answer: (body?: string, more?: Partial<ActorAnswer>) => Promise<void>
}

const settled = async (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** An app that keeps what it is asked until the test answers. */
export class TestHost implements ActorHost {
  readonly app: string
  readonly instance: string
  state: ActorHost['state'] = 'open'
  reason = ''
  isBusy = false
  holdMs = 10_000
  readonly open: Open[] = []
  /** Actors that were let go: `Cart/1`. */
  readonly gone: string[] = []
  /** What letting go waits for. */
  letGo: Promise<void> = Promise.resolve()

  constructor(app: string, instance = app) {
    this.app = app
    this.instance = instance
  }

  /** What it has in hand: `Cart/1 add`. */
  get inside(): readonly string[] {
    return this.open.map(
      ({request: {type, id, work}}) => `${type}/${id} ${work.kind === 'method' ? work.method : work.name}`
    )
  }

  async send(request: ActorRequest): Promise<ActorAnswer> {
    return new Promise(resolve => {
      const open: Open = {
        request,
        answer: async (body = '', more = {}) => {
          this.open.splice(this.open.indexOf(open), 1)
          const done = {kind: 'done', lines: '', body: Buffer.from(body), isError: false, isCancelled: false}
          resolve({...done, ...more} as ActorAnswer)
          await settled()
        }
      }
      this.open.push(open)
      request.onStop(() => void open.answer('', {kind: 'lost', why: 'it was given up', wasSent: true}))
    })
  }

  async deactivate(type: string, id: string): Promise<boolean> {
    this.gone.push(`${type}/${id}`)
    await this.letGo
    return true
  }
}

export interface ActorHouse {
  readonly actors: Actors
  readonly clock: TestClock
  /** Turns that wait for themselves. */
  readonly circles: readonly string[]
  /** An app may still tell that it hosts any type. */
  mayHost: boolean
  /** Calls an actor; settles with its answer as text, or with why there is none. */
  readonly call: (actor: string, method: string, more?: CallOptions) => Call
}

interface CallOptions {
  readonly chain?: string
  /** The id of its trace. */
  readonly trace?: string
  readonly caller?: ActorCaller
}

interface Call {
  readonly outcome: Promise<string>
  /** The caller leaves. */
  readonly leave: () => void
}

export function openActorHouse(clock = new TestClock()): ActorHouse {
  const house: {mayHost: boolean} = {mayHost: false}
  const circles: string[] = []
  const actors = new Actors({clock, mayHost: () => house.mayHost, onDeadlock: (_, text) => circles.push(text)})
  const call: ActorHouse['call'] = (
    actor,
    method,
    {chain = '', trace = '', caller = {app: 'shop', instance: 'shop'}} = {}
  ) => {
    const lines = trace === '' ? '' : `Traceparent: 00-${trace.padStart(32, '0')}-${'1'.repeat(16)}-01\r\n`
    const [type = '', id = ''] = actor.split('/')
    let gone: (() => void) | undefined
    const outcome = actors
      .run({
        type,
        id,
        work: {kind: 'method', protocol: 'HTTP/1.1', method, query: '', lines, body: Buffer.alloc(0)},
        caller,
        reentrancyId: chain,
        onStop: listener => void (gone = listener)
      })
      .then(
        answer => (answer.kind === 'done' ? answer.body.toString() : answer.kind),
        (error: unknown) => (error instanceof ActorError ? `${error.refusal}: ${error.message}` : String(error))
      )
    return {outcome, leave: () => gone?.()}
  }
  return Object.assign(house, {actors, circles, clock, call})
}
