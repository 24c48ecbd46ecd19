import type {AppComponents, FailedComponent} from '../components/app-components.ts'
import type {Secret} from '../components/secret-store.ts'
import type {DaprdComponents} from '../components/daprd/daprd-access.ts'
import {explainPlace} from '../../files/config/diagnose.ts'
import {messageOf} from '../../model/errors.ts'
import type {LogLevel} from '../../model/plan.ts'
import type {TopicBacklog} from '../../model/activity.ts'
import {Once} from '../../model/once.ts'
import {SerialQueue} from '../../model/serial-queue.ts'
import type {Configuration} from '../../files/resources/dapr-configuration.ts'
import {daprdUseOf, isForDaprd, isOpened} from '../../files/resources/component-support.ts'
import type {ComponentResource} from '../../files/resources/components.ts'
import type {TopicSubscription} from '../../files/resources/subscriptions.ts'
import type {BlockContextOptions} from './blocks/block-context.ts'
import type {Blocks} from './blocks/blocks.ts'
import type {Opening} from '../../supervisor/opening.ts'
import type {OpenSidecarOptions} from './sidecar-options.ts'

/** The context of an app's building blocks, except the parts that come from resource files. */
export type SharedContext = Omit<BlockContextOptions, 'components' | 'configuration'>

/** Opens a real daprd for components that are not built in; undefined: there is none, which is reported. */
type OpenDaprd = (resources: readonly ComponentResource[]) => Promise<DaprdComponents | undefined>

/** Loads the building blocks of an app when its files name a component or it calls one. Opens its components, and follows changed files. */
export class SidecarBlocks {
  readonly #options: OpenSidecarOptions
  readonly #faults: Opening['faults']
  readonly #context: SharedContext
  readonly #openDaprd: OpenDaprd
  readonly #listeners = new Set<() => void>()
  readonly #stopFollowing: () => void
  #current: readonly ComponentResource[]
  readonly #loading = new Once<Blocks>()
  #components: AppComponents | undefined
  #blocks: Blocks | undefined
  /** The mistake in a component that prevents the start of the app; '': none. */
  #fault = ''
  /** Whether the components for the app's start were opened. A mistake in a later edit only warns. */
  #isOpen = false
  readonly #changes = new SerialQueue()
  readonly #over = new AbortController()
  /** Whether the app has stopped hosting actors. */
  #hasLeft = false
  /** The lists that the app has reported, for a daprd that opens later. */
  readonly #known = new Set<'topics' | 'bindings'>()

  constructor(options: OpenSidecarOptions, context: SharedContext, openDaprd: OpenDaprd) {
    this.#options = options
    this.#context = context
    this.#openDaprd = openDaprd
    const {resources, runtime} = options
    this.#faults = runtime.opening.faults
    this.#current = resources.snapshot.components
    this.#stopFollowing = resources.onChange(({components}) => {
      if (components === this.#current) return
      this.#current = components
      void this.reload()
    })
  }

  /** Opens the components of the resource files before the app starts. Resolves with a mistake and its place; '': none. */
  async open(): Promise<string> {
    if (this.#isOpenedAtOnce) await this.load()
    this.#isOpen = true
    return this.#fault
  }

  /** Calls the listener after the components have followed changed files. The returned function removes it. */
  onComponents(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Whether a real daprd would open a component, if there is one. */
  mayBeByDaprd(resource: ComponentResource): boolean {
    return isForDaprd(resource, daprdUseOf(this.#options.env))
  }

  isByDaprd(resource: ComponentResource): boolean {
    return this.#components?.daprd?.takes(resource) === true
  }

  /** Returns the resource that an open component was opened with: its file may have a mistake by now. */
  inEffect(resource: ComponentResource): ComponentResource {
    return this.#components?.inEffect(resource) ?? resource
  }

  isMissing({name}: ComponentResource): boolean {
    return this.#components?.isMissing(name) === true
  }

  setKnown(what: 'topics' | 'bindings'): void {
    this.#known.add(what)
    this.#components?.daprd?.setKnown(what)
  }

  async endDaprd(): Promise<void> {
    await this.#components?.daprd?.close()
  }

  capabilitiesOf({name, capabilities = []}: ComponentResource): readonly string[] {
    return this.#components?.capabilitiesOf(name) ?? capabilities
  }

  /** Reads a secret, whatever the scopes of the app; undefined: there is none. Rejects if its store is missing. */
  async secretOf(store: string, name: string): Promise<Secret | undefined> {
    await this.load()
    const found = this.#components?.find('secretstores', store)
    if (found === undefined) throw new Error(`there is no secret store ${store}`)
    return (await found).component.get(name)
  }

  get streamed(): readonly TopicSubscription[] {
    return this.#blocks?.subscriptions.streamed ?? []
  }

  /** Whether the app has subscriptions that a process has asked for: topics over streams, or configuration. */
  get hasStreams(): boolean {
    return this.streamed.length > 0 || this.#blocks?.configurations.areRead === true
  }

  /** The topics that the app reads, with their waiting messages. */
  get backlogs(): readonly TopicBacklog[] {
    const typeOf = (name: string): string => this.#current.find(each => each.name === name)?.type ?? 'pubsub'
    const {appId} = this.#context
    const read = this.#blocks?.subscriptions.backlogs ?? []
    return read.map(each => ({...each, app: appId, type: typeOf(each.pubsubName)}))
  }

  /** Loads the blocks and opens the components, once. */
  async load(): Promise<Blocks> {
    return this.#loading.do(async () => this.#load())
  }

  /** The blocks, if they are loaded or being loaded. */
  get begun(): Promise<Blocks> | undefined {
    return this.#loading.begun
  }

  /** Called when processes of the app have begun, ended or taken over. */
  followProcesses(): void {
    this.#blocks?.configurations.followProcesses()
    this.#blocks?.actorStreams.followProcesses()
  }

  /** Called before the next sidecar of the app opens: this one hosts no actors any more. */
  leaveActors(): void {
    this.#hasLeft = true
    this.#blocks?.actorStreams.close()
  }

  async close(): Promise<void> {
    this.#over.abort()
    this.#stopFollowing()
    await this.#changes.idle()
    await this.#blocks?.close()
    await this.#components?.close()
    await this.endDaprd()
  }

  get #isOpenedAtOnce(): boolean {
    return this.#current.some(each => !each.isDefault && (isOpened(each) || this.mayBeByDaprd(each)))
  }

  async #load(): Promise<Blocks> {
    const {runtime, env, resources, components} = this.#options
    const context = this.#context
    const [{AppComponents}, {newBlocks}, set] = await Promise.all([
      import('../components/app-components.ts'),
      import('./blocks/blocks.ts'),
      components()
    ])
    const {appId, log} = context
    const write = (level: LogLevel, text: string): void => log.write(level, text)
    const own = (this.#components ??= new AppComponents({appId, folder: runtime.plan.folder, env, set, log: write}))
    this.#fault = await this.#changes.run(async () => this.#follow())
    const configuration = (): Configuration => resources.snapshot.configuration
    this.#blocks = newBlocks({...context, components: own, configuration})
    if (this.#hasLeft) this.leaveActors()
    void this.#beginOutbox(this.#blocks)
    return this.#blocks
  }

  /** Publishes events that an earlier run has left, if a state store has an outbox. */
  async #beginOutbox(blocks: Blocks): Promise<void> {
    if (this.#over.signal.aborted || !this.#current.some(hasOutbox)) return
    const failed = (error: unknown): void =>
      this.#context.log.write('error', `the outbox cannot be read: ${messageOf(error)}`)
    await blocks.outbox.begin().catch(failed)
  }

  /** Follows the current files, and retries failed components. A component whose new form cannot be opened stays in its earlier form. */
  async reload(): Promise<void> {
    const areLoaded = this.#loading.begun !== undefined
    if (areLoaded || this.#isOpenedAtOnce) {
      const blocks = await this.load()
      const fault = areLoaded ? await this.#changes.run(async () => this.#follow()) : this.#fault
      void blocks.subscriptions.renew()
      void blocks.configurations.renew()
      void this.#beginOutbox(blocks)
      const {resources, runtime} = this.#options
      if (fault !== '' && fault !== this.#faults.get('components')) resources.warn('resource-not-used', fault)
      // a corrected mistake no longer prevents the start; a new mistake does not stop an app that could start
      if (runtime.fault !== '') this.#faults.set('components', fault)
    }
    for (const listener of this.#listeners) listener()
  }

  async #follow(): Promise<string> {
    if (this.#over.signal.aborted || this.#components === undefined) return ''
    await this.#findDaprd(this.#components)
    const failures = await this.#components.follow(this.#current)
    const [{runtime, resources}, {log}] = [this.#options, this.#context]
    const isHarmless = (each: FailedComponent): boolean =>
      each.isHarmless || runtime.plan.resources.areOptional === true
    for (const each of failures) if (isHarmless(each)) resources.warn('resource-not-used', textOf(each))
    const failure = failures.find(each => !isHarmless(each))
    if (failure === undefined) return ''
    if (this.#isOpen) return textOf(failure)
    log.write('warn', `Error processing component, daprd will exit gracefully: ${failure.text}`)
    log.write('fatal', `Fatal error from runtime: process component ${failure.resource.name} error: ${failure.text}`)
    return textOf(failure)
  }

  async #findDaprd(components: AppComponents): Promise<void> {
    if (!this.#current.some(each => this.mayBeByDaprd(each))) return
    components.daprd ??= await this.#openDaprd(this.#current)
    for (const each of this.#known) components.daprd?.setKnown(each)
  }
}

const hasOutbox = ({properties}: ComponentResource): boolean =>
  properties.some(({name}) => name.toLowerCase() === 'outboxpublishtopic')

/** Returns the warning about a component that cannot be opened, with its place in the file. */
function textOf({resource, fault}: FailedComponent): string {
  const picture = explainPlace(fault.place ?? resource.place, 1, []).replace(/^/gm, '   ')
  return `the component ${resource.name} (${resource.type}) cannot be opened: ${fault.message}\n${picture}`
}
