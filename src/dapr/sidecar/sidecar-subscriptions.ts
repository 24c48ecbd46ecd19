import {isWithin} from '../../platform/delay.ts'
import {isBuilt} from '../../files/resources/component-support.ts'
import {splitType} from '../../files/resources/component-types.ts'
import type {ComponentResource} from '../../files/resources/components.ts'
import type {TopicSubscription} from '../../files/resources/subscriptions.ts'
import {mayAsk} from './ask-app.ts'
import {retryLater} from './retry-later.ts'
import type {TopicTrigger} from '../../model/triggers.ts'
import type {EventChannel} from './blocks/event-channel.ts'
import type {Subscription} from './http/metadata.ts'
import {listTopics} from './list-topics.ts'
import type {Blocks} from './blocks/blocks.ts'
import {AppDelivery, type DeliveryContext} from './event-process.ts'

/** Wait for the app's list of topics before a warning is logged, in ms. */
const QUICK_MS = 3000
/** How long a process that fails to list its topics is asked again, in ms. */
const AGAIN_MS = 60_000

type Wanted = TopicSubscription & Pick<Subscription, 'type'>

/**
 * Delivers messages of topics to an app: of those that each of its processes lists, and those in files. Delivers while the process that
 * has listed its topics is ready. Loads the code for topics only for an app that has some.
 */
export class SidecarSubscriptions extends AppDelivery<EventChannel> {
  /** Topics that the app has listed; undefined: it has not answered yet. */
  #listed: readonly TopicSubscription[] | undefined
  /** Topics in files. */
  #declared: readonly TopicSubscription[]
  /** Topics that are read. */
  #followed: readonly Wanted[] = []
  /** Whether the process was not asked for its list, since there was no broker. */
  #isUnlisted = false
  /** Time since which a process is asked again each second, in ms of performance.now(); undefined: it is not. Only the first failure is logged. */
  #againSince: number | undefined

  constructor(options: DeliveryContext) {
    super(options, {
      grpc: async () => (await import('./grpc/blocks/grpc-event-channel.ts')).GrpcEventChannel,
      http: async () => (await import('./http/blocks/http-event-channel.ts')).HttpEventChannel
    })
    const {resources, blocks} = options
    this.#declared = resources.snapshot.subscriptions
    this.stops.push(
      resources.onChange(({subscriptions}) => {
        if (subscriptions !== this.#declared) {
          this.#declared = subscriptions
          void this.#follow()
        }
        this.look()
      }),
      blocks.onComponents(() => {
        this.look()
        void this.#follow()
      })
    )
    this.look()
  }

  /** The app's subscriptions, for `/v1.0/metadata`. */
  get view(): readonly Subscription[] {
    const streamed = this.options.blocks.streamed.map(each => ({...each, type: 'STREAMING' as const}))
    return [...this.#known, ...streamed].map(({pubsubName, topic, metadata, rules, deadLetterTopic, type}) => ({
      pubsubName,
      topic,
      metadata,
      rules: rules.map(({match, path}) => ({match, path})),
      deadLetterTopic,
      type
    }))
  }

  /** The subscriptions that are read, or that will be read once a process accepts calls. */
  get #known(): readonly Wanted[] {
    const {appPort, queue} = this.options.runtime
    if (this.hasFollowed || (appPort > 0 && queue.isOpen)) return this.#followed
    return this.#wanted()
  }

  /** Whether all topics of the app are read. True for an app without topics. */
  get isReady(): boolean {
    return !this.#mayList || this.options.runtime.appPort === 0 || this.process.isKnown
  }

  /** Whether the process has yet to report its topics. */
  get isAsked(): boolean {
    return !this.isReady || this.#againSince !== undefined
  }

  protected readersOf({subscriptions}: Blocks): Blocks['subscriptions'] {
    return subscriptions
  }

  protected look(): void {
    const {runtime} = this.options
    const mayList = this.#mayList
    if (mayList && runtime.appPort === 0) this.#warnOfNoPort()
    if (!mayList || runtime.appPort === 0) this.options.blocks.setKnown('topics')
    const isAsked = runtime.isListening && runtime.appPort > 0 && mayList
    if (this.#isUnlisted && runtime.sleep.isAsleep) this.#listed = undefined
    if (this.#isUnlisted && this.#hasPubSub) this.process.askAgain()
    if (isAsked && this.process.ask()) void this.#ask(runtime.pid)
    else if (!isAsked) this.process.forget()
    if (!isAsked) this.#againSince = undefined
    if (mayList && runtime.sleep.isAsleep && !this.hasFollowed) void this.#follow()
    this.process.changed()
  }

  get #mayList(): boolean {
    const {runtime} = this.options
    return mayAsk(runtime) && (this.#hasPubSub || this.#declared.length > 0)
  }

  get #hasPubSub(): boolean {
    const {resources, blocks} = this.options
    return resources.snapshot.components.some(
      each => splitType(each.type)[0] === 'pubsub' && (isBuilt(each) || blocks.mayBeByDaprd(each))
    )
  }

  readonly #log: DeliveryContext['log'] = (level, text) =>
    this.options.log(level === 'error' && this.#againSince !== undefined ? 'debug' : level, text)

  /** Asks the process again in a second, since events of its topics wait for their routes. */
  #askLater(): void {
    this.process.askAgain()
    this.#log('error', 'error getting topic list from app: events of its topics wait until it says their routes')
    this.#againSince ??= performance.now()
    void retryLater(() => this.look(), this.over.signal)
  }

  async #ask(pid: number): Promise<void> {
    const isUnlisted = (this.#isUnlisted = !this.#hasPubSub)
    const {runtime, context, blocks, log} = this.options
    const {signal} = this.over
    const isObsolete = (): boolean => this.process.asked !== pid
    const listing = isUnlisted ? [] : listTopics({runtime, context, signal, isObsolete}, this.#log)
    if (!(await isWithin(QUICK_MS, Promise.resolve(listing))) && !signal.aborted && !isObsolete())
      log('warn', 'app has not said yet which topics it subscribes to: they are read once it does.')
    const listed = await listing
    if (signal.aborted || isObsolete()) return
    // after a failure the topics of the last process stay; those of a sleeping app were stored without routes, so that their events wait
    const lacksRoutes =
      listed === undefined && this.#listed === undefined && (runtime.sleep.triggers.topics ?? []).length > 0
    const isAgain = lacksRoutes && this.process.isKnown && this.#againSince !== undefined
    if (isAgain && performance.now() - (this.#againSince ?? 0) < AGAIN_MS) return this.#askLater()
    this.#againSince = undefined
    if (isAgain) {
      log('error', 'the app does not say the routes of its topics: they are read once it does')
      this.#listed = []
    }
    if (listed !== undefined) this.#listed = listed
    // false once the process has listed its topics, even if its broker has left the files by then
    this.#isUnlisted &&= isUnlisted || listed === undefined
    if (listed !== undefined && !isUnlisted) runtime.sleep.learn({topics: listed.map(asTrigger)})
    await this.process.followed(pid, this.#follow())
    blocks.setKnown('topics')
    if (isObsolete()) return
    this.process.answered(pid)
    if (lacksRoutes && !isAgain) this.#askLater()
  }

  /**
   * Returns each topic once. The app's list has precedence over files. Of equal topics, the last of the list and the first of the files
   * counts, as in Dapr (pkg/runtime/subscription).
   */
  #wanted(): readonly Wanted[] {
    const known = this.#listed ?? (this.options.runtime.sleep.triggers.topics ?? []).map(asSubscription)
    const listed = known.filter((each, at) => known.findLastIndex(other => isSame(each, other)) === at)
    const all = [
      ...listed.map(each => ({...each, type: 'PROGRAMMATIC' as const})),
      ...this.#declared.map(each => ({...each, type: 'DECLARATIVE' as const}))
    ]
    return all.filter((each, at) => all.findIndex(other => isSame(each, other)) === at)
  }

  #warnOfDoubles(): void {
    const warn = ({pubsubName, topic}: TopicSubscription, sources: string): void =>
      this.options.log(
        'warn',
        `two identical subscriptions found (sources: ${sources}). pubsubname: ${pubsubName}, topic: ${topic}`
      )
    for (const each of this.#declared)
      if (this.#listed?.some(other => isSame(each, other)) === true) warn(each, 'declarative, app endpoint')
    for (const [at, each] of (this.#listed ?? []).entries())
      if (this.#listed?.findLastIndex(other => isSame(each, other)) !== at) warn(each, 'app endpoint, app endpoint')
  }

  async #follow(): Promise<void> {
    const {runtime, blocks} = this.options
    const wanted = this.#wanted()
    if (this.over.signal.aborted || (wanted.length === 0 && !this.hasFollowed)) return
    if (runtime.appPort === 0) return this.#warnOfNoPort()
    // waits for the app's first list, which has precedence over files; a sleeping app is started by events of both
    if (this.process.asked === undefined && !this.hasFollowed && !runtime.sleep.isAsleep) return
    this.hasFollowed = true
    this.#warnOfDoubles()
    const [{subscriptions}, channel] = await Promise.all([blocks.load(), this.openChannel()])
    if (!this.over.signal.aborted) await subscriptions.follow((this.#followed = this.#wanted()), channel)
  }

  #warnOfNoPort(): void {
    if (this.isWarned) return
    this.isWarned = true
    const isAskedFor = this.#declared.length > 0 || this.options.resources.snapshot.components.some(isOwnPubSub)
    this.options.log(
      isAskedFor ? 'warn' : 'info',
      'app channel not initialized, make sure -app-port is specified if pubsub subscription is required'
    )
  }
}

const asTrigger = ({pubsubName, topic, metadata, deadLetterTopic, bulk}: TopicSubscription): TopicTrigger => {
  const trigger = {pubsubName, topic, metadata, deadLetterTopic}
  return bulk === undefined ? trigger : {...trigger, bulk}
}

/** Returns the subscription of a sleeping app to a topic. Its events wait until a process has reported its routes. */
const asSubscription = ({bulk, ...of}: TopicTrigger): TopicSubscription => ({...of, rules: [], bulk, waits: true})

const isSame = (a: TopicSubscription, b: TopicSubscription): boolean =>
  a.pubsubName === b.pubsubName && a.topic === b.topic

/** Whether a component is a broker that a file of the user names, not Dapr's default one. */
const isOwnPubSub = ({type, isDefault}: ComponentResource): boolean => splitType(type)[0] === 'pubsub' && !isDefault
