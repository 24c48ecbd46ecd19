// daprd/ runs a real Dapr sidecar next to an app, for components that are not built in. The app sees only Pillion's sidecar.
import type {
  DaprdAccess,
  DaprdComponents,
  DeliverEvent,
  WatchedConfiguration
} from '../../components/daprd/daprd-access.ts'
import {componentOf} from '../../components/daprd/open.ts'
import {ComponentFault} from '../../components/properties.ts'
import {messageOf} from '../../../model/errors.ts'
import type {LogLevel} from '../../../model/plan.ts'
import {pause} from '../../../platform/delay.ts'
import {isForDaprd, type DaprdUse} from '../../../files/resources/component-support.ts'
import type {ComponentResource} from '../../../files/resources/components.ts'
import {retryLater} from '../retry-later.ts'
import {Daprd} from './daprd.ts'
import type {DaprdOptions} from './daprd-process.ts'
import {Readings} from './readings.ts'
import {bindingAt, componentsText, neededOf} from './resource-files.ts'

interface AppDaprdOptions extends Omit<DaprdOptions, 'life' | 'folder' | 'components' | 'listener'> {
  readonly use: DaprdUse
  /** Prefixes of life and folder of each daprd of this app: `<life>-1` … */
  readonly life: string
  readonly folder: string
  readonly metadata: () => Readonly<Record<string, string>>
  readonly warn: (text: string) => void
}

/** A subscription to configuration: the daprd that serves it, its `id` there, and the items that this daprd has reported. */
type Watch = WatchedConfiguration & {id: string; at?: Daprd; since?: object}

/** Subscribes at a daprd. */
const begin = async (watch: Watch, at: Daprd): Promise<void> => {
  const {id} = JSON.parse(await at.connection.get(`${watch.path}/subscribe?${watch.query}`)) as {readonly id: string}
  Object.assign(watch, {id, at, since: {}})
}

/** Life in ms after which an exit does not count as a failed start. */
const SHORT_MS = 10_000
const MAX_FAILURES = 5
/** First delay before a start after an exit, in ms, which doubles each time. */
const BACKOFF_MS = 200
/** Delay in ms after a failed change until a call may retry it. For an app that reads by daprd it is retried anyway, at growing delays. */
const RETRY_MS = 1000
const LONGEST_MS = 30_000

/** Keeps a daprd for one app: starts it for the components in files, replaces it when they change, and restarts it when it exits. */
export class AppDaprd implements DaprdComponents, DaprdAccess {
  readonly #options: AppDaprdOptions
  readonly #readings = new Readings(() => this.#readingsChanged())
  readonly #watches = new Set<Watch>()
  readonly #over = new AbortController()
  /** Aborted when the sidecar closes or the app ends: no daprd starts afterwards. */
  readonly #ending: AbortSignal
  /** Names of the components in Dapr's default folder that the app has used. Daprd opens only these. */
  readonly #used = new Set<string>()
  /** All components in the app's resource files. */
  #all: readonly ComponentResource[] = []
  /** Text of the file with the components that daprd should open; '': no daprd is needed. */
  #wanted = ''
  /** The daprd that serves calls; undefined: none does. */
  #current: Daprd | undefined
  /** Settles with the serving daprd when the latest change is done. */
  #latest: Promise<Daprd | undefined> = Promise.resolve(undefined)
  #lives = 0
  #failures = 0
  /** When the latest change failed, in ms of performance.now(); Infinity: it did not fail. */
  #failedAt = Infinity
  #waitMs = RETRY_MS

  constructor(options: AppDaprdOptions) {
    this.#options = options
    this.#ending = AbortSignal.any([this.#over.signal, options.ending])
  }

  takes(resource: ComponentResource): boolean {
    return isForDaprd(resource, this.#options.use)
  }

  follow(resources: readonly ComponentResource[]): void {
    this.#all = resources
    const own = resources.filter(each => this.takes(each) && (!each.isDefault || this.#used.has(each.name)))
    const wanted = own.length === 0 ? '' : componentsText(neededOf(own, resources))
    if (wanted === this.#wanted) return
    this.#wanted = wanted
    this.#failures = 0
    this.#waitMs = RETRY_MS
    this.#change(async () => this.#exchange(false))
  }

  async open(resource: ComponentResource): Promise<ReturnType<typeof componentOf>> {
    const {name, place} = resource
    if (resource.isDefault && !this.#used.has(name)) {
      this.#used.add(name)
      this.follow(this.#all)
    }
    this.#retry()
    const daprd = await this.#latest.catch((error: unknown) => {
      throw this.#faultOf(messageOf(error), resource)
    })
    const capabilities = (await daprd?.ready)?.get(name)
    if (capabilities !== undefined) return componentOf({resource, capabilities, access: this})
    throw new ComponentFault(daprd?.errors.find(text => text.includes(` ${name} `)) ?? 'daprd has not opened it', place)
  }

  async call(method: string, message: Uint8Array): Promise<Uint8Array> {
    return (await this.#serving()).connection.call(method, message)
  }

  read(topic: Parameters<DaprdAccess['read']>[0]): () => void {
    return this.#readings.addTopic(topic)
  }

  readBinding(name: string, deliver: DeliverEvent): () => void {
    return this.#readings.addBinding(name, deliver)
  }

  async watch(wanted: WatchedConfiguration): Promise<() => Promise<void>> {
    const watch: Watch = {...wanted, id: ''}
    const drop = (): void => void this.#watches.delete(watch)
    for (let daprd: Daprd | undefined; daprd === undefined || daprd !== this.#current;) {
      daprd = await this.#serving()
      await begin(watch, daprd)
    }
    if (!watch.over.aborted) this.#watches.add(watch)
    watch.over.addEventListener('abort', drop, {once: true})
    return async () => {
      drop()
      watch.over.removeEventListener('abort', drop)
      // a later daprd begins without this subscription
      if (watch.at === this.#current) await watch.at?.connection.get(`${watch.path}/${watch.id}/unsubscribe`)
    }
  }

  setKnown(what: 'topics' | 'bindings'): void {
    this.#readings.setKnown(what)
  }

  async close(): Promise<void> {
    this.#over.abort()
    this.#readings.close()
    await this.#latest.catch(() => undefined)
    const daprd = this.#current
    this.#current = undefined
    await daprd?.end()
  }

  async #serving(): Promise<Daprd> {
    if (this.#current === undefined) this.#retry()
    const daprd = this.#current ?? (await this.#latest)
    if (daprd === undefined) throw new Error('daprd has ended')
    return daprd
  }

  /** Runs a change after the ones before it, even if these failed. */
  #change(work: () => Promise<Daprd | undefined>): void {
    const latest = (this.#latest = this.#latest.catch(() => undefined).then(work))
    this.#failedAt = Infinity
    latest.then(
      // the wanted components failed and an earlier daprd serves: counts as a failure, so that it is retried
      daprd => latest === this.#latest && daprd?.components !== this.#wanted && (this.#failedAt = performance.now()),
      () => latest === this.#latest && void this.#failed()
    )
  }

  /** Retries a failed change after a delay, if the app reads by daprd: no call may retry it. */
  async #failed(): Promise<void> {
    const latest = this.#latest
    this.#failedAt = performance.now()
    await pause(this.#waitMs, this.#ending)
    this.#waitMs = Math.min(2 * this.#waitMs, LONGEST_MS)
    const isRead = this.#current === undefined ? this.#watches.size > 0 || this.#readings.areAny : !this.#isUpToDate
    if (latest === this.#latest && isRead) this.#change(async () => this.#exchange(!this.#isUpToDate))
  }

  /** Retries a failed change, unless it failed just now: components that are opened together fail together. */
  #retry(): void {
    if (performance.now() - this.#failedAt >= RETRY_MS) this.#change(async () => this.#exchange(false))
  }

  /** Starts a daprd with the wanted components, then ends the earlier one. `isForced`: also with the same components, for other topics or bindings. */
  async #exchange(isForced: boolean): Promise<Daprd | undefined> {
    const before = this.#current
    const components = isForced && before !== undefined ? before.components : this.#wanted
    if (this.#ending.aborted || (before?.components === components && !isForced)) return before
    const daprd = components === '' ? (this.#current = undefined) : await this.#start(components)
    await before?.end()
    return daprd
  }

  /** Starts a daprd. Once it is ready, it serves all calls, and continues the subscriptions to configuration. */
  async #start(components: string): Promise<Daprd> {
    const {life, folder, metadata} = this.#options
    const name = (++this.#lives).toString()
    const promoted = Promise.withResolvers<void>()
    const own = (): readonly ComponentResource[] => this.#all.filter(each => this.takes(each))
    const daprd = await Daprd.start({
      ...this.#options,
      ending: this.#ending,
      life: `${life}-${name}`,
      folder: `${folder}-${name}`,
      components,
      listener: {
        topics: async () => {
          // two daprds with the same topic would share its messages
          await promoted.promise
          return this.#readings.topics()
        },
        readerOf: topic => this.#readings.readerOf(topic),
        bindingAt: path => bindingAt(path, own()),
        wantsBinding: async binding => this.#readings.wantsBinding(binding),
        bindingReader: binding => this.#readings.bindingReader(binding),
        configurationChanged: (id, items) => {
          const watch = [...this.#watches].find(each => each.id === id)
          Object.assign(watch?.since ?? {}, items)
          watch?.changed(items)
        },
        warn: text => this.#options.log({level: 'warn', message: text, scope: 'dapr.runtime'})
      }
    })
    try {
      await daprd.ready
    } catch (error) {
      await daprd.end()
      throw error
    }
    const before = this.#current
    void (before?.ended ?? Promise.resolve()).then(() => promoted.resolve())
    for (const [key, value] of Object.entries(metadata())) void daprd.tell(key, value)
    this.#current = daprd
    void this.#untilEnd(daprd)
    for (const watch of this.#watches) void this.#beginAgain(watch, daprd, before === undefined)
    return daprd
  }

  /** Subscribes at the next daprd, with retries. `isLate`: changes were missed in between, so it reads the items. Never rejects. */
  async #beginAgain(watch: Watch, daprd: Daprd, isLate: boolean, level: LogLevel = 'error'): Promise<void> {
    if (!this.#watches.has(watch) || this.#current !== daprd) return
    try {
      if (watch.at !== daprd) await begin(watch, daprd)
      const found = isLate ? await daprd.connection.get(`${watch.path}?${watch.query}`) : ''
      if (found !== '') watch.changed({...(JSON.parse(found) as object), ...watch.since})
    } catch (error) {
      const message = `the subscription to ${watch.path} cannot continue yet: ${messageOf(error)}`
      this.#options.log({level, message, scope: 'dapr.runtime'})
      await retryLater(async () => this.#beginAgain(watch, daprd, true, 'debug'), this.#ending)
    }
  }

  /** Waits for the exit of a daprd. Starts a new one if the sidecar did not end it. */
  async #untilEnd(daprd: Daprd): Promise<void> {
    const how = await daprd.ended
    if (this.#current !== daprd || this.#ending.aborted) return
    this.#current = undefined
    if (daprd.livedMs >= SHORT_MS) [this.#failures, this.#waitMs] = [0, RETRY_MS]
    this.#options.warn(`daprd next to "${this.#options.plan.id}" has exited (${how}): starting a new one`)
    this.#change(async () => {
      await daprd.end()
      // a change of the components may have started a new daprd meanwhile
      return this.#current ?? this.#restart(how, daprd.components)
    })
  }

  /** Starts another daprd after one has died, with the same components. Rejects after MAX_FAILURES starts. */
  async #restart(how: string, components: string): Promise<Daprd | undefined> {
    let why = how
    while (!this.#ending.aborted && this.#wanted !== '') {
      if (++this.#failures > MAX_FAILURES) {
        const text = `daprd has ended ${MAX_FAILURES} times in a row, at last: ${why}`
        this.#options.warn(`${text}. Calls of "${this.#options.plan.id}" to its components fail`)
        throw new Error(text)
      }
      await pause(BACKOFF_MS * 2 ** (this.#failures - 1), this.#ending)
      if (this.#ending.aborted) break
      try {
        return await this.#start(components)
      } catch (error) {
        why = messageOf(error)
      }
    }
    return undefined
  }

  /** Replaces the daprd if its topics or bindings differ from those that the app reads: daprd asks for them only once. */
  #readingsChanged(): void {
    if (!this.#isUpToDate) this.#change(async () => this.#exchange(!this.#isUpToDate))
  }

  get #isUpToDate(): boolean {
    return this.#current === undefined || this.#readings.fits(this.#current.listener.announced)
  }

  /** Returns the fault of a component. Its place is that of the component that daprd blames, which may be another one. */
  #faultOf(why: string, asked: ComponentResource): ComponentFault {
    const guilty = this.#all.find(({name, type}) => why.includes(` ${name} (${type}/`)) ?? asked
    return new ComponentFault(why, guilty.place)
  }
}
