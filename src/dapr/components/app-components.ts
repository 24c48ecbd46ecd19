import {setImmediate as turn} from 'node:timers/promises'
import {messageOf} from '../../model/errors.ts'
import {Once} from '../../model/once.ts'
import {within} from '../../platform/delay.ts'
import {isOpened} from '../../files/resources/component-support.ts'
import {isActorStore, logName, whyDouble, type ComponentResource} from '../../files/resources/components.ts'
import type {Block} from '../../model/dapr/api/api.ts'
import type {DaprdComponents} from './daprd/daprd-access.ts'
import type {BlockTypes} from './block-types.ts'
import {textOfResource} from './component-set.ts'
import {
  ClosedSecretStore,
  ComponentOpener,
  isOfBlock,
  isSecretStore,
  NoSecretStore,
  openByDaprd,
  type OpenedComponent,
  type OpenerOptions
} from './component-opener.ts'
import {ComponentFault} from './properties.ts'

/** An open component of the app. */
export interface AppComponent<B extends Block> extends Omit<OpenedComponent, 'component' | 'use'> {
  readonly component: BlockTypes[B]
}

/** A component that could not be opened. */
export interface FailedComponent {
  readonly resource: ComponentResource
  readonly fault: ComponentFault
  /** Dapr's message. */
  readonly text: string
  /** Whether the app starts without the component, as with Dapr: it has `ignoreErrors`, or its secret store is missing. */
  readonly isHarmless: boolean
}

/** A component of the current files, open or not. */
interface Entry {
  readonly resource: ComponentResource
  /** Opens it at the first call, and again at the next call after a failure. */
  readonly opening: Once<OpenedComponent>
  /** The component, once it is open. */
  opened?: OpenedComponent
  /** Number of running calls that may use it. */
  calls: number
  /** Closes it after the last of these calls, since a changed file has replaced it; undefined: not replaced. */
  onIdle?: () => void
  /** Entry that this one replaces. Calls use that one until this one is open. */
  previous: Entry | undefined
}

/** Maximum time to wait until a component has closed, in ms: a client may wait for an answer of its server forever. */
const CLOSE_MS = 2000

/** The components that one app may use. `follow` opens those of the template's files; those of Dapr's own folder open at their first use. */
export class AppComponents {
  readonly #options: OpenerOptions
  readonly #opener: ComponentOpener
  #entries: readonly Entry[] = []
  /** Components that a change of files has replaced or removed, and that calls still use. */
  readonly #replaced = new Set<Entry>()
  /** The components that a real daprd serves; undefined: no daprd runs. */
  daprd: DaprdComponents | undefined

  constructor(options: OpenerOptions) {
    this.#options = options
    this.#opener = new ComponentOpener(options, {
      secretStore: name => this.find('secretstores', name),
      openStores: () =>
        this.#entries.flatMap(({resource, opened}) =>
          opened !== undefined && isOfBlock(resource, 'state') ? opened : []
        )
    })
  }

  /** Messages of components that could not be opened, by their names. */
  readonly failed = new Map<string, string>()

  /**
   * Follows a change of the files: opens new and changed components, secret stores first, and closes replaced and removed ones. Returns the
   * components that could not be opened. The ones that they should have replaced stay open.
   */
  async follow(resources: readonly ComponentResource[]): Promise<readonly FailedComponent[]> {
    const before = this.#entries
    this.daprd?.follow(resources)
    const wanted = resources.filter(each => isOpened(each) || this.daprd?.takes(each) === true).toSorted(bySecretsFirst)
    const entries = entriesOf(wanted, before)
    this.#entries = entries
    this.failed.clear()
    const left = before.filter(entry => !entries.includes(entry))
    for (const entry of left) this.#replaced.add(entry)
    const changed = entries.filter(
      entry => !entry.resource.isDefault && !before.includes(entry) && !this.#options.set.isServedByApp(entry.resource)
    )
    for (const entry of changed) entry.previous = left.find(({resource: {name}}) => name === entry.resource.name)
    const failures = await this.#openEach(changed, wanted, before.length === 0)
    await Promise.all(left.map(async entry => this.#retire(entry)))
    return failures
  }

  /** Opens entries in order. After a failure that prevents the start of the app, opens the others together, to report all errors soon. */
  async #openEach(
    entries: readonly Entry[],
    wanted: readonly ComponentResource[],
    isStart: boolean
  ): Promise<readonly FailedComponent[]> {
    const failures: FailedComponent[] = []
    let ahead: ReadonlyMap<Entry, Promise<OpenedComponent>> | undefined
    for (const [at, entry] of entries.entries()) {
      if (isStart && failures.some(({isHarmless}) => !isHarmless))
        ahead ??= this.#openTogether(entries.slice(at), wanted)
      const failure = await this.#openEntry(entry, wanted, ahead?.get(entry))
      if (failure !== undefined) failures.push(failure)
    }
    return failures
  }

  /** Opens an entry, or waits for `begun`, its opening. After a failure, the entry that it replaces stays. */
  async #openEntry(
    entry: Entry,
    wanted: readonly ComponentResource[],
    begun: Promise<OpenedComponent> | undefined
  ): Promise<FailedComponent | undefined> {
    const {resource, previous} = entry
    const what = logName(resource)
    if (previous !== undefined) this.#options.log('info', `Closing existing Component to reload: ${what}`)
    try {
      const double = whyDouble(resource, wanted)
      if (double !== '') throw new ComponentFault(double, resource.place)
      await (begun ?? this.#openedOf(entry))
      if (previous !== undefined) this.#options.log('info', `Component updated: ${what}`)
      return undefined
    } catch (error) {
      const fault = error instanceof ComponentFault ? error : new ComponentFault(messageOf(error))
      // a component whose secret store is not open yet opens at its first use
      const instead = previous ?? (fault instanceof ClosedSecretStore ? entry : [])
      this.#entries = this.#entries.flatMap(each => (each === entry ? instead : each))
      const isHarmless = resource.ignoresErrors || fault instanceof NoSecretStore
      return {resource, fault, text: failureText(resource, fault.message), isHarmless}
    } finally {
      entry.previous = undefined
    }
  }

  /**
   * Begins a call that may use a component; the returned function ends it. If the file changes meanwhile, the call keeps its component, which
   * closes after the last call: otherwise the call would fail, and a retry could repeat its effect on a server.
   */
  beginCall(name: string): () => void {
    const all = this.#replaced.size === 0 ? this.#entries : [...this.#entries, ...this.#replaced]
    const used = all.filter(({resource, onIdle}) => resource.name === name && onIdle === undefined)
    for (const entry of used) entry.calls++
    return () => {
      for (const entry of used) if (--entry.calls === 0) entry.onIdle?.()
    }
  }

  /** Closes a replaced component after its last call. Keeps it if the new one could not be opened. */
  async #retire(entry: Entry): Promise<void> {
    const close = async (): Promise<void> => {
      if (this.#replaced.delete(entry)) await this.#close(entry)
    }
    if (this.#entries.includes(entry)) return void this.#replaced.delete(entry)
    // calls that wait for its opening begin within one more turn of the event loop
    await entry.opening.begun?.catch(() => undefined)
    await turn()
    if (entry.calls > 0) entry.onIdle = () => void close()
    else await close()
  }

  /** Returns the names of all components of a building block. */
  names(block: Block): readonly string[] {
    return this.#entries.flatMap(({resource}) => (isOfBlock(resource, block) ? resource.name : []))
  }

  /** Opens a component if it is not open yet. Returns undefined for an unknown name; rejects if it cannot be opened. */
  find<B extends Block>(block: B, name: string): Promise<AppComponent<B>> | undefined {
    const entry = this.#usable(resource => resource.name === name && isOfBlock(resource, block))
    // the type is certain: the loader of a block returns components of this block
    return entry && (this.#openedOf(entry) as Promise<OpenedComponent & AppComponent<B>>)
  }

  /** Opens the state store that is marked for actors; undefined: there is none. Rejects if it cannot be opened. */
  actorStore(): Promise<AppComponent<'state'>> | undefined {
    const entry = this.#usable(isActorStore)
    return entry && (this.#openedOf(entry) as Promise<OpenedComponent & AppComponent<'state'>>)
  }

  /** Returns a component; undefined: it is not open. */
  opened<B extends Block>(block: B, name: string): AppComponent<B> | undefined {
    const entry = this.#usable(resource => resource.name === name && isOfBlock(resource, block))
    return entry?.opened as (OpenedComponent & AppComponent<B>) | undefined
  }

  /** Returns Dapr's capabilities of a component; undefined: it is not open. */
  capabilitiesOf(name: string): readonly string[] | undefined {
    return this.#usable(resource => resource.name === name)?.opened?.use.component.capabilities
  }

  /** Returns the entry that calls use now: the replaced one until the new one is open. */
  #usable(fits: (resource: ComponentResource) => boolean): Entry | undefined {
    const entry = this.#entries.find(({resource}) => fits(resource))
    const previous = entry?.opened === undefined ? entry?.previous : undefined
    return previous?.opened !== undefined && fits(previous.resource) ? previous : entry
  }

  /** Returns the resource in use: the earlier one, if the changed component could not be opened. */
  inEffect(resource: ComponentResource): ComponentResource {
    return this.#entries.find(each => each.resource.name === resource.name)?.resource ?? resource
  }

  /** Whether opening a component of this name failed, and no earlier one is kept. */
  isMissing(name: string): boolean {
    return this.failed.has(name) && !this.#entries.some(each => each.resource.name === name)
  }

  async close(): Promise<void> {
    const entries = [...this.#entries, ...this.#replaced]
    this.#entries = []
    this.#replaced.clear()
    await Promise.all(entries.map(async entry => this.#close(entry)))
  }

  /** Opens a component once. Returns the same promise to all callers. */
  #openedOf(entry: Entry): Promise<OpenedComponent> {
    return entry.opening.do(async () => (entry.opened = await this.#open(entry.resource)))
  }

  /** Opens components together, except stores for actors, of which a second one must be refused. */
  #openTogether(
    entries: readonly Entry[],
    all: readonly ComponentResource[]
  ): ReadonlyMap<Entry, Promise<OpenedComponent>> {
    const those = entries.filter(({resource}) => whyDouble(resource, all) === '' && !isActorStore(resource))
    const openings = new Map(those.map(entry => [entry, this.#openedOf(entry)]))
    for (const opening of openings.values()) opening.catch(() => undefined) // `#openEntry` reports the failure
    return openings
  }

  async #open(resource: ComponentResource): Promise<OpenedComponent> {
    const {log, folder, set} = this.#options
    const {name, type, version} = resource
    const {daprd} = this
    try {
      const opened = await (daprd?.takes(resource) === true
        ? openByDaprd(daprd, resource)
        : this.#opener.open(resource))
      this.failed.delete(name)
      set.opened({...opened, resource, folder})
      log('info', `Component loaded: ${name} (${type}/${version})`)
      return opened
    } catch (error) {
      this.failed.set(name, messageOf(error))
      if (!(error instanceof NoSecretStore)) log('error', failureText(resource, messageOf(error)))
      throw error
    }
  }

  /** Closes a component. Waits at most `CLOSE_MS`. */
  async #close({opening, resource}: Entry): Promise<void> {
    const opened = await opening.begun?.catch(() => undefined) // a failed opening was reported
    const failed = (error: unknown): void =>
      this.#options.log('warn', `Component ${resource.name} could not be closed: ${messageOf(error)}`)
    await within(CLOSE_MS, Promise.resolve(opened?.use.release())).catch(failed)
  }
}

/** Returns an entry for each resource: the one of `before` if the resource is unchanged, else a new one. */
function entriesOf(wanted: readonly ComponentResource[], before: readonly Entry[]): readonly Entry[] {
  const known = new Map(before.map(entry => [textOfResource(entry.resource), entry]))
  return wanted.map(resource => {
    const text = textOfResource(resource)
    const entry = known.get(text)
    known.delete(text) // a second equal resource gets a new entry
    return entry ?? {resource, opening: new Once(), calls: 0, previous: undefined}
  })
}

const bySecretsFirst = (a: ComponentResource, b: ComponentResource): number =>
  Number(isSecretStore(b)) - Number(isSecretStore(a))

/** Returns Dapr's log line about a component that could not be opened (pkg/runtime/errors, InitError). */
function failureText(resource: ComponentResource, why: string): string {
  const what = logName(resource)
  const kind = why.startsWith("couldn't find ") ? 'CREATE_COMPONENT_FAILURE' : 'INIT_COMPONENT_FAILURE'
  return `Failed to init component ${what}: [${kind}]: initialization error occurred for ${what}: ${why}`
}
