import {randomUUID} from 'node:crypto'
import {setImmediate as turn} from 'node:timers/promises'
import {messageOf} from '../../model/errors.ts'
import {Once} from '../../model/once.ts'
import {within} from '../../platform/delay.ts'
import {movedTogether} from '../../model/moved-ports.ts'
import type {LogLevel} from '../../model/plan.ts'
import {isOpened} from '../../files/resources/component-support.ts'
import {isActorStore, logName, whyDouble, type ComponentResource} from '../../files/resources/components.ts'
import type {Block} from '../../model/dapr/api/api.ts'
import type {DaprdComponents} from './daprd/daprd-access.ts'
import type {BlockTypes} from './block-types.ts'
import {type Component, type OpenOptions} from './component.ts'
import {textOfResource, type ComponentSet, type Use} from './component-set.ts'
import {topicPrefixOf, propertyValues} from './component-values.ts'
import {Properties, ComponentFault} from './properties.ts'
import type {StateStore} from './state-store.ts'
import {isEncryptionKey, splitType} from '../../files/resources/component-types.ts'

/** Throws if a property that all stores have, and not their types, cannot be followed (Dapr: pkg/runtime/processor/state). */
function checkStoreSettings({type}: ComponentResource, properties: Properties): void {
  if (!['state', 'lock'].includes(splitType(type)[0])) return
  const prefix = properties.text('keyPrefix')
  if (!prefix.includes('||')) return
  properties.fault('keyPrefix', `failed to save lock keyprefix: input key/keyPrefix '${prefix}' can't contain '||'`)
}

/** Throws if this store and another one are both marked as the store for actors (Dapr: pkg/runtime/compstore/statestore.go). */
function checkActorStore(name: string, properties: Properties, opened: readonly Opened[]): void {
  const other = opened.find(each => each.name !== name && each.properties.isTrue('actorStateStore'))
  if (other === undefined || !properties.isTrue('actorStateStore')) return
  properties.fault('actorStateStore', `detected duplicate actor state store: ${other.name} and ${name}`)
}

interface AppComponentsOptions {
  readonly appId: string
  /** Folder of the app, where relative paths start. */
  readonly folder: string
  readonly env: OpenOptions['env']
  readonly set: ComponentSet
  readonly log: (level: LogLevel, message: string) => void
}

/** A component that the app may use. */
export interface AppComponent<B extends Block> {
  readonly name: string
  readonly component: BlockTypes[B]
  readonly properties: Properties
  /** Prefix of a broker's topics. */
  readonly topicPrefix: string
}

/** A component that could not be opened. */
export interface FailedComponent {
  readonly resource: ComponentResource
  readonly fault: ComponentFault
  /** The message, in Dapr's words. */
  readonly text: string
  /** Whether the app starts without the component: its errors are to be ignored, or its secret store is missing (as in Dapr). */
  readonly isHarmless: boolean
}

interface Entry {
  readonly resource: ComponentResource
  /** Begun at the first use, and again at the next use after a failure. */
  readonly opening: Once<Opened>
  /** The component, once it is open. */
  opened?: Opened
  /** Calls that may use it. */
  calls: number
  /** Closes it when the last of them has ended; undefined: it is in use. */
  onIdle?: () => void
  /** Entry that this one replaces. Calls use it until this one is open. */
  previous: Entry | undefined
}

interface Opened extends Omit<AppComponent<Block>, 'component'> {
  readonly component: Component
  readonly use: Use
}

/** A client may wait for an answer of its server before it is closed, for ever. */
const CLOSE_MS = 2000

/** The components that one app may use. Components of Dapr's own folder open at their first use, the others by `open`. */
export class AppComponents {
  readonly #options: AppComponentsOptions
  readonly #owner = randomUUID()
  #entries: readonly Entry[] = []
  /** Components that the last change of files has replaced, and that calls still use. */
  readonly #replaced = new Set<Entry>()
  /** For each secret store, the store that it waits for to look up its own secrets. */
  readonly #waitsFor = new Map<string, string>()
  /** Components of a real daprd; undefined: there is none. */
  daprd: DaprdComponents | undefined

  constructor(options: AppComponentsOptions) {
    this.#options = options
  }

  /** Errors of components that could not be opened, by their names. */
  readonly failed = new Map<string, string>()

  /**
   * Opens new components of the files, secret stores first. Keeps unchanged components open, and closes removed ones.
   * Returns the components that could not be opened. Their predecessors stay open.
   */
  async follow(resources: readonly ComponentResource[]): Promise<readonly FailedComponent[]> {
    const before = this.#entries
    this.daprd?.follow(resources)
    const wanted = resources.filter(each => isOpened(each) || this.daprd?.takes(each) === true).toSorted(bySecretsFirst)
    const known = new Map(before.map(entry => [textOfResource(entry.resource), entry]))
    const kept = wanted.map(resource => {
      const text = textOfResource(resource)
      const entry = known.get(text)
      known.delete(text) // a second equal component opens as a new one
      return entry
    })
    const entries: Entry[] = wanted.map(
      (resource, index) => kept[index] ?? {resource, opening: new Once(), calls: 0, previous: undefined}
    )
    this.#entries = entries
    // a component that is opened again reports its own failure
    this.failed.clear()
    const left = before.filter(entry => !entries.includes(entry))
    for (const entry of left) this.#replaced.add(entry)
    const failures: FailedComponent[] = []
    const changed = entries.filter(
      entry => !entry.resource.isDefault && !kept.includes(entry) && !this.#options.set.isServedByApp(entry.resource)
    )
    for (const entry of changed) entry.previous = left.find(({resource: {name}}) => name === entry.resource.name)
    let ahead: ReadonlyMap<Entry, Promise<Opened>> | undefined
    let isLost = false
    for (const [at, entry] of changed.entries()) {
      const {resource, previous} = entry
      if (isLost) ahead ??= this.#openTogether(changed.slice(at), wanted)
      const what = logName(resource)
      if (previous !== undefined) this.#options.log('info', `Closing existing Component to reload: ${what}`)
      try {
        const double = whyDouble(resource, wanted)
        if (double !== '') throw new ComponentFault(double, resource.place)
        await (ahead?.get(entry) ?? this.#openedOf(entry))
        if (previous !== undefined) this.#options.log('info', `Component updated: ${what}`)
      } catch (error) {
        const fault = error instanceof ComponentFault ? error : new ComponentFault(messageOf(error))
        // a component that still lacks its secrets opens at its first use
        const instead = previous ?? (fault instanceof ClosedSecretStore ? entry : [])
        this.#entries = this.#entries.flatMap(each => (each === entry ? instead : each))
        const isHarmless = resource.ignoresErrors || fault instanceof NoSecretStore
        failures.push({resource, fault, text: failureText(resource, fault.message), isHarmless})
        // the app will not start: the other components open at once, so that their errors are reported soon
        isLost ||= before.length === 0 && !isHarmless
      } finally {
        entry.previous = undefined
      }
    }
    await Promise.all(left.map(async entry => this.#retire(entry)))
    return failures
  }

  /**
   * Begins a call that may use a component; the returned function ends it. After a change of its file the call keeps its component, which
   * is closed when the last call has ended. So no effect on another server is tried twice.
   */
  beginCall(name: string): () => void {
    const all = this.#replaced.size === 0 ? this.#entries : [...this.#entries, ...this.#replaced]
    const used = all.filter(({resource, onIdle}) => resource.name === name && onIdle === undefined)
    for (const entry of used) entry.calls++
    return () => {
      for (const entry of used) if (--entry.calls === 0) entry.onIdle?.()
    }
  }

  /** Closes a replaced component once calls use it no more. Keeps a component whose successor failed. */
  async #retire(entry: Entry): Promise<void> {
    const close = async (): Promise<void> => {
      if (this.#replaced.delete(entry)) await this.#close(entry)
    }
    if (this.#entries.includes(entry)) return void this.#replaced.delete(entry)
    // a waiting call begins in the turn in which it is open
    await entry.opening.begun?.catch(() => undefined)
    await turn()
    if (entry.calls > 0) entry.onIdle = () => void close()
    else await close()
  }

  /** The names of all components of a block. */
  names(block: Block): readonly string[] {
    return this.#entries.flatMap(({resource}) => (isOf(resource, block) ? resource.name : []))
  }

  /** Opens a component if it is not open yet. Returns undefined for an unknown name; rejects if it cannot be opened. */
  find<B extends Block>(block: B, name: string): Promise<AppComponent<B>> | undefined {
    const entry = this.#usable(resource => resource.name === name && isOf(resource, block))
    // safe: the loader of a block returns components of this block
    return entry && (this.#openedOf(entry) as Promise<Opened & {readonly component: BlockTypes[B]}>)
  }

  /** Opens the state store that is marked for actors; undefined: there is none. Rejects if it cannot be opened. */
  actorStore(): Promise<AppComponent<'state'>> | undefined {
    const entry = this.#usable(isActorStore)
    return entry && (this.#openedOf(entry) as Promise<Opened & {readonly component: BlockTypes['state']}>)
  }

  /** Returns a component if it is open already, else undefined. */
  opened<B extends Block>(block: B, name: string): AppComponent<B> | undefined {
    const entry = this.#usable(resource => resource.name === name && isOf(resource, block))
    return entry?.opened as (Opened & {readonly component: BlockTypes[B]}) | undefined
  }

  /** Dapr's capabilities of a component that is open; undefined: it is not. */
  capabilitiesOf(name: string): readonly string[] | undefined {
    return this.#usable(resource => resource.name === name)?.opened?.use.component.capabilities
  }

  /** Returns the component that calls use now. */
  #usable(fits: (resource: ComponentResource) => boolean): Entry | undefined {
    const entry = this.#entries.find(({resource}) => fits(resource))
    const previous = entry?.opened === undefined ? entry?.previous : undefined
    return previous?.opened !== undefined && fits(previous.resource) ? previous : entry
  }

  /** Returns the resource in use: the earlier one, if the changed file cannot be opened. */
  inEffect(resource: ComponentResource): ComponentResource {
    return this.#entries.find(each => each.resource.name === resource.name)?.resource ?? resource
  }

  /** Whether no component of this name is open or can be opened at its use: opening failed, and no earlier one is kept. */
  isMissing(name: string): boolean {
    return this.failed.has(name) && !this.#entries.some(each => each.resource.name === name)
  }

  async close(): Promise<void> {
    const entries = [...this.#entries, ...this.#replaced]
    this.#entries = []
    this.#replaced.clear()
    await Promise.all(entries.map(async entry => this.#close(entry)))
  }

  /** Opens a component once: each of the many calls gets the same promise. */
  #openedOf(entry: Entry): Promise<Opened> {
    return entry.opening.do(async () => (entry.opened = await this.#open(entry.resource)))
  }

  /** Opens components together, except stores for actors: the second one is refused. */
  #openTogether(entries: readonly Entry[], all: readonly ComponentResource[]): ReadonlyMap<Entry, Promise<Opened>> {
    const those = entries.filter(({resource}) => whyDouble(resource, all) === '' && !isActorStore(resource))
    const openings = new Map(those.map(entry => [entry, this.#openedOf(entry)]))
    for (const opening of openings.values()) opening.catch(() => undefined) // the caller that waits for the component reports the failure
    return openings
  }

  async #open(resource: ComponentResource): Promise<Opened> {
    const {log, folder} = this.#options
    const {name, type, version} = resource
    try {
      const opened =
        this.daprd?.takes(resource) === true ? await openByDaprd(this.daprd, resource) : await this.#openHere(resource)
      this.failed.delete(name)
      this.#options.set.opened({...opened, resource, folder})
      log('info', `Component loaded: ${name} (${type}/${version})`)
      return opened
    } catch (error) {
      this.failed.set(name, messageOf(error))
      if (!(error instanceof NoSecretStore)) log('error', failureText(resource, messageOf(error)))
      throw error
    }
  }

  async #openHere(resource: ComponentResource): Promise<Opened> {
    const {appId, folder, env, set, log} = this.#options
    const warn = (text: string): void => log('warn', text)
    const notLoaded = `secret store ${resource.secretStore} is not loaded`
    let Absent = NoSecretStore
    // answers from a file need no key
    const isReplayed = set.isReplayed(resource)
    const plain = resource.properties.filter(({secret}) => secret === undefined)
    const values = await propertyValues(isReplayed ? {...resource, properties: plain} : resource, {
      appId,
      env,
      secretOf: (store, secret) => {
        if (isSecretStore(resource) && !this.#mayWait(resource.name, store)) {
          Absent = WaitingSecretStore
          return undefined
        }
        return this.find('secretstores', store)?.then(
          async found => found.component.get(secret),
          (error: unknown) => {
            // two stores that need each other can never open
            const isMutual = error instanceof WaitingSecretStore && isSecretStore(resource)
            throw isMutual ? new Error(error.message) : new ClosedSecretStore(notLoaded, resource.place)
          }
        )
      },
      warn,
      error: text => log('error', text)
    }).finally(() => this.#waitsFor.delete(resource.name))
    if (values === undefined) throw new Absent(notLoaded, resource.place)
    // after secrets and variables have been read: they may be addresses
    const placed = movedTogether(values, set.movedPorts)
    await set.checkServer(resource, placed)
    const properties = new Properties(placed)
    checkStoreSettings(resource, properties)
    if (isOf(resource, 'state')) checkActorStore(resource.name, properties, this.#openStores)
    const keys = await encryptionOf(resource, properties)
    const use = await set.use({resource, properties: placed, folder, owner: this.#owner, warn})
    const component = keys === undefined ? use.component : keys(use.component)
    return {name: resource.name, component, properties, topicPrefix: topicPrefixOf(resource, env), use}
  }

  /** Notes that a secret store waits for another. Returns false if they would wait in a circle. */
  #mayWait(store: string, other: string): boolean {
    for (let at: string | undefined = other; at !== undefined; at = this.#waitsFor.get(at))
      if (at === store) return false
    this.#waitsFor.set(store, other)
    return true
  }

  get #openStores(): readonly Opened[] {
    return this.#entries.flatMap(({resource, opened}) =>
      opened !== undefined && isOf(resource, 'state') ? opened : []
    )
  }

  /** Closes a component. A silent server delays no change of files. */
  async #close({opening, resource}: Entry): Promise<void> {
    const opened = await opening.begun?.catch(() => undefined) // a failed opening was reported
    const failed = (error: unknown): void =>
      this.#options.log('warn', `Component ${resource.name} could not be closed: ${messageOf(error)}`)
    await within(CLOSE_MS, Promise.resolve(opened?.use.release())).catch(failed)
  }
}

/** Returns the encryption of a state store with keys. Throws for wrong keys. */
async function encryptionOf(
  resource: ComponentResource,
  properties: Properties
): Promise<((store: Component) => StateStore) | undefined> {
  if (!isOf(resource, 'state') || !resource.properties.some(isEncryptionKey)) return undefined
  const {encryptedBy} = await import('./state/encrypted-state.ts')
  return encryptedBy(resource, properties)
}

/** The secrets of a component cannot be looked up. */
class NoSecretStore extends ComponentFault {}

/** The secret store of a component cannot be opened yet. */
class ClosedSecretStore extends NoSecretStore {}

/** The secret store of a component waits for secrets of the component itself. */
class WaitingSecretStore extends NoSecretStore {}

const isOf = ({type}: ComponentResource, block: Block): boolean => type.startsWith(block) && type[block.length] === '.'

const isSecretStore = (resource: ComponentResource): boolean => isOf(resource, 'secretstores')

/** Opens a component by daprd, which looks up secrets and variables itself. */
async function openByDaprd(daprd: DaprdComponents, resource: ComponentResource): Promise<Opened> {
  const component = await daprd.open(resource)
  const use = {component, release: async () => component.close?.()}
  const properties = new Properties(movedTogether(resource.properties, new Map(resource.moved)))
  // daprd puts the prefix in front of topics itself
  return {name: resource.name, component, properties, topicPrefix: '', use}
}

const bySecretsFirst = (a: ComponentResource, b: ComponentResource): number =>
  Number(isSecretStore(b)) - Number(isSecretStore(a))

/** Dapr's line about a component that could not be opened (pkg/runtime/errors, InitError). */
function failureText(resource: ComponentResource, why: string): string {
  const what = logName(resource)
  const kind = why.startsWith("couldn't find ") ? 'CREATE_COMPONENT_FAILURE' : 'INIT_COMPONENT_FAILURE'
  return `Failed to init component ${what}: [${kind}]: initialization error occurred for ${what}: ${why}`
}
