import type {OpenOptions} from '../../../src/dapr/components/component.ts'
import type {PubSub} from '../../../src/dapr/components/pubsub.ts'
import type {Question} from '../../../src/dapr/sidecar/ask-app.ts'
import type {EventAnswer} from '../../../src/dapr/sidecar/blocks/event-channel.ts'
import type {SharedContext, SidecarBlocks as Blocks} from '../../../src/dapr/sidecar/sidecar-blocks.ts'
import type {OpenSidecarOptions} from '../../../src/dapr/sidecar/sidecar-options.ts'
import type {DeliveryContext} from '../../../src/dapr/sidecar/event-process.ts'
import type {ComponentResource} from '../../../src/files/resources/components.ts'
import type {TopicSubscription} from '../../../src/files/resources/subscriptions.ts'
import type {ComponentPolicies} from '../../../src/proxy/gateway/interceptors/resiliency/component-policies.ts'
import type {Triggers} from '../../../src/model/triggers.ts'
import {componentResource} from '../../rig/component-resource.ts'
import {WalkClock} from '../work/clock.ts'
import {Server, type Manner} from './broker.ts'
import {current, type Answered, type Delivered} from './parts.ts'
import {replaceModules} from './replaced.ts'
import {Stream} from './stream.ts'
import {Witness} from './witness.ts'

replaceModules()
const {ComponentSet} = await import('../../../src/dapr/components/component-set.ts')
const {SidecarBlocks} = await import('../../../src/dapr/sidecar/sidecar-blocks.ts')
const {SidecarSubscriptions} = await import('../../../src/dapr/sidecar/sidecar-subscriptions.ts')
const {subscribeTopicEvents} = await import('../../../src/dapr/sidecar/grpc/blocks/subscribe-topic-events.ts')
const {DEFAULT_CONFIGURATION} = await import('../../../src/files/resources/defaults.ts')
const {AdmissionQueue} = await import('../../../src/proxy/gateway/admission-queue.ts')
// what is loaded when it is first needed takes real time: the first walk would go another way than later ones
await Promise.all([
  import('../../../src/dapr/components/app-components.ts'),
  import('../../../src/dapr/sidecar/blocks/blocks.ts'),
  import('../../../src/dapr/sidecar/http/blocks/http-event-channel.ts')
])

/** Turns of the event loop after which nothing goes on that needs no time and no answer. */
const TURNS = 25

const RELOAD = 'it is reloaded'
const FALLS = 'it falls asleep'

/** A request that the app has. */
export interface Request extends Delivered {
  readonly pid: number
  /** It is over: `isReplaced`: its process ended for another one. */
  readonly end: (
    answered: Answered,
    verdicts: readonly EventAnswer['kind'][] | 'lost' | 'late',
    isCrash?: boolean
  ) => void
}

/** A process of the app. */
interface Process {
  readonly pid: number
  readonly topics: readonly TopicSubscription[]
  /** It fails to list them. */
  readonly failsToList: boolean
}

export type Listing = PromiseWithResolvers<readonly TopicSubscription[] | undefined> & {readonly pid: number}

/** An app, its sidecar, and servers of a broker. */
export class House {
  readonly clock = new WalkClock()
  readonly witness = new Witness()
  readonly servers: readonly [Server, Server]
  readonly queue = new AdmissionQueue({timeoutMs: Infinity})
  policies: ComponentPolicies | undefined
  requests: readonly Request[] = []
  streams: readonly Stream[] = []
  listings: readonly Listing[] = []
  process: Process | undefined
  /** Its process accepts calls. */
  isListening = false
  isAsleep = false
  /** Something needs a process. */
  isNeeded = false
  /** It is about to end its process. */
  isFalling = false
  components: readonly ComponentResource[] = []
  files: readonly TopicSubscription[] = []
  /** Openings of components that wait, or null: they are opened at once. */
  readonly #listeners = new Set<() => void>()
  #resourceListener: ((snapshot: object) => void)[] = []
  #triggers: Triggers = {}
  #pid = 1
  #count = 0
  /** Processes that have said what they read, or failed to. */
  readonly #said = new Set<number>()
  #lastListed: readonly TopicSubscription[] | undefined
  readonly #blocks
  readonly subscriptions
  /** Paths to which events of a topic may go until the next rest. */
  #paths = new Map<string, Set<string>>()

  constructor() {
    const clock = this.clock.clock()
    this.servers = [new Server(this.witness, clock), new Server(this.witness, clock)]
    current.stage = {
      clock,
      list: async question => this.#list(question),
      deliver: async delivered => this.#deliver(delivered),
      open: async options => this.#open(options)
    }
    this.queue.hold('it starts')
    const options = this.#options()
    const context = this.#context()
    this.#blocks = new SidecarBlocks(options, context, async () => Promise.resolve(undefined))
    this.subscriptions = new SidecarSubscriptions({
      runtime: options.runtime,
      resources: options.resources,
      blocks: this.#blocks,
      context: {} as DeliveryContext['context'],
      log: () => undefined
    })
  }

  #options(): OpenSidecarOptions {
    // oxlint-disable-next-line typescript/no-this-alias -- its getters read the house
    const house = this
    const runtime = {
      id: 'shop',
      name: 'shop',
      appPort: 1,
      fault: '',
      opening: {faults: new Map(), isUnasked: false, noteReady: () => undefined},
      plan: {fixedPort: 0, folder: '/', resources: {}, channel: {protocol: 'http'}, lazy: true},
      queue: this.queue,
      get isListening() {
        return house.isListening
      },
      get pid() {
        return house.process?.pid ?? 0
      },
      sleep: {
        get isAsleep() {
          return house.isAsleep
        },
        get triggers() {
          return house.#triggers
        },
        learn: (part: Triggers) => void (house.#triggers = {...house.#triggers, ...part}),
        need: () => {
          if (house.isAsleep || house.isFalling) house.isNeeded = true
        }
      },
      onMove: (listener: () => void) => {
        house.#listeners.add(listener)
        return () => house.#listeners.delete(listener)
      }
    }
    const resources = {
      get snapshot() {
        return house.#snapshot
      },
      onChange: (listener: (snapshot: object) => void) => {
        house.#resourceListener.push(listener)
        return () => void (house.#resourceListener = house.#resourceListener.filter(each => each !== listener))
      },
      warn: () => undefined
    }
    return {
      runtime,
      resources,
      env: {PILLION_DAPRD: 'never'},
      components: async () => Promise.resolve(new ComponentSet({env: {}, redis: {} as OpenOptions['redis']}))
    } as unknown as OpenSidecarOptions
  }

  #context(): SharedContext {
    return {
      appId: 'shop',
      instance: 'shop',
      isHttpApp: true,
      namespace: '',
      whyMissing: () => '',
      postToApp: undefined,
      policies: () => this.policies,
      counted: () => undefined,
      startSpan: () => undefined,
      work: {},
      actors: {},
      log: {isDebug: false, write: () => undefined, warn: () => undefined}
    } as unknown as SharedContext
  }

  get #snapshot(): object {
    return {components: this.components, subscriptions: this.files, configuration: DEFAULT_CONFIGURATION}
  }

  /** Opens what the app starts with. */
  async open(): Promise<void> {
    await this.#blocks.open()
  }

  /** Files have changed. */
  change(): void {
    const snapshot = this.#snapshot
    for (const listener of this.#resourceListener) listener(snapshot)
    this.#mayGo()
  }

  move(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Its component, in a file of its own text each time. */
  component(server: 0 | 1, manner: Manner, isBroken = false): ComponentResource {
    const edit = (++this.#count).toString()
    return componentResource('bus', 'pubsub.redis', {server: server.toString(), manner, edit, broken: String(isBroken)})
  }

  async #open({properties}: OpenOptions): Promise<PubSub> {
    if (properties.text('broken') === 'true') throw new Error('no server is there')
    const server = this.servers[properties.text('server') === '1' ? 1 : 0]
    return Promise.resolve(server.open(properties.text('manner') as Manner))
  }

  /** A process begins, which is not ready yet. */
  start(topics: readonly TopicSubscription[], failsToList: boolean): void {
    this.process = {pid: ++this.#pid, topics, failsToList}
    this.isAsleep = this.isNeeded = false
    this.isListening = false
    this.queue.hold('it starts')
    this.move()
  }

  ready(): void {
    this.isListening = true
    this.queue.open()
    this.queue.unpause(RELOAD)
    this.#mayGo()
    this.move()
  }

  /** Its process is gone; `isCrash`: nobody has ended it. */
  end(isCrash: boolean): void {
    const pid = this.process?.pid
    this.process = undefined
    this.isListening = false
    if (isCrash) this.queue.hold('it has ended')
    this.move()
    this.cut(pid, isCrash)
  }

  /** A save: no more calls until the next process is ready. */
  pause(): void {
    this.queue.pause(RELOAD)
  }

  /** Another process takes the place of this one, which may still answer what it has. */
  promote(topics: readonly TopicSubscription[]): void {
    this.process = {pid: ++this.#pid, topics, failsToList: false}
    this.ready()
  }

  /** It has no process until it is needed. */
  async sleep(): Promise<boolean> {
    if (this.#blocks.hasStreams || this.subscriptions.isAsked) return false
    this.isFalling = true
    this.queue.pause(FALLS)
    await this.settle()
    const mayNot = this.requests.length > 0 || this.isNeeded || !this.isListening
    this.isFalling = this.isNeeded = false
    if (!mayNot) {
      this.process = undefined
      this.isListening = false
      this.isAsleep = true
      this.queue.hold('it sleeps')
      this.move()
    }
    this.queue.unpause(FALLS)
    return !mayNot
  }

  /** What a process had is not answered any more. */
  cut(pid: number | undefined, isCrash: boolean): void {
    for (const listing of this.listings) if (listing.pid === pid) listing.resolve(undefined)
    this.listings = this.listings.filter(each => each.pid !== pid)
    for (const request of this.requests)
      if (request.pid === pid) request.end({why: 'EOF', wasSent: true}, 'lost', isCrash)
    if (pid !== undefined) for (const stream of this.streams) if (stream.pid === pid) stream.leave()
  }

  async #list({isObsolete}: Pick<Question, 'isObsolete'>): Promise<readonly TopicSubscription[] | undefined> {
    const pid = this.process?.pid ?? 0
    const listing = {...Promise.withResolvers<readonly TopicSubscription[] | undefined>(), pid}
    this.listings = [...this.listings, listing]
    const listed = await listing.promise
    if (isObsolete()) return undefined
    this.#said.add(pid)
    if (listed !== undefined) this.#lastListed = listed
    this.#mayGo()
    return listed
  }

  /** The process says which topics it reads. */
  say(listing: Listing): void {
    this.listings = this.listings.filter(each => each !== listing)
    const {process} = this
    const isTold = process?.pid === listing.pid && !process.failsToList
    listing.resolve(isTold ? process.topics : undefined)
  }

  async #deliver(delivered: Delivered): Promise<Answered> {
    const {topic, path, ids, attempt} = delivered
    const {process, queue} = this
    if (process === undefined || !this.isListening || !queue.isOpen) return {why: 'refused', wasSent: false}
    if (attempt?.isStopped === true) return {why: 'context canceled', wasSent: false}
    const isOfFile = this.files.some(each => each.topic === topic)
    if (!isOfFile && !this.#said.has(process.pid))
      this.witness.fault(`an event of ${topic} comes to a process that has not said what it reads`)
    if (this.#paths.get(topic)?.has(path) !== true)
      this.witness.fault(`an event of ${topic} goes to ${path}: ${[...(this.#paths.get(topic) ?? [])].join(', ')}`)
    const {promise, resolve} = Promise.withResolvers<Answered>()
    for (const id of ids) this.witness.sent(topic, id)
    const permit = queue.enter({caller: 'shop', from: topic, method: 'POST', path, isOwn: true})
    const request: Request = {
      ...delivered,
      pid: process.pid,
      end: (answered, verdicts, isCrash) => {
        if (!this.requests.includes(request)) return
        this.requests = this.requests.filter(each => each !== request)
        permit.leave()
        for (const [at, id] of ids.entries())
          this.witness.answered(topic, id, typeof verdicts === 'string' ? verdicts : (verdicts[at] ?? ''), isCrash)
        resolve(answered)
      }
    }
    this.requests = [...this.requests, request]
    attempt?.onStop(() => request.end({why: 'context canceled', wasSent: true}, 'late'))
    return promise
  }

  /** What events of a topic may go to from now on, besides what they may already. */
  #mayGo(): void {
    for (const {topic, rules} of this.wanted) {
      const paths = this.#paths.get(topic) ?? new Set()
      this.#paths.set(topic, paths.add(rules[0]?.path ?? ''))
    }
  }

  /** What is read, by the process and by files. */
  get wanted(): readonly TopicSubscription[] {
    const listed = this.#lastListed ?? []
    return [...listed, ...this.files.filter(({topic}) => !listed.some(each => each.topic === topic))]
  }

  /** The server that the component names; undefined: there is none, or it is broken. */
  get server(): Server | undefined {
    const [component] = this.components
    const valueOf = (name: string): string => component?.properties.find(each => each.name === name)?.value ?? ''
    if (component === undefined || valueOf('broken') === 'true') return undefined
    return this.servers[valueOf('server') === '1' ? 1 : 0]
  }

  /** Somebody publishes an event. */
  publish(server: Server, topic: string): void {
    const id = `e${++this.#count}`
    this.witness.published(topic, id)
    server.put(topic, {id, data: Buffer.from(JSON.stringify({id})), metadata: {}})
  }

  /** The process opens a stream. */
  openStream(): void {
    const {process} = this
    if (process === undefined) return
    const stream = new Stream(this.witness, process.pid)
    this.streams = [...this.streams, stream]
    void this.#blocks
      .load()
      .then(async blocks => subscribeTopicEvents(stream.serverStream, blocks))
      .catch(() => undefined)
      .finally(() => {
        stream.over()
        this.streams = this.streams.filter(each => each !== stream)
      })
  }

  get backlogs(): Blocks['backlogs'] {
    return this.#blocks.backlogs
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await new Promise(setImmediate)
  }

  /** All that was hurried is over: only what holds now may be done. */
  rest(): void {
    this.#paths = new Map()
    this.#mayGo()
  }

  async pass(ms: number): Promise<void> {
    await this.settle() // what was answered is answered before a timer is due
    await this.clock.pass(ms, async () => this.settle())
  }
}
