import {randomUUID} from 'node:crypto'
import {movedTogether} from '../../model/moved-ports.ts'
import type {LogLevel} from '../../model/plan.ts'
import type {Block} from '../../model/dapr/api/api.ts'
import {isEncryptionKey, splitType} from '../../files/resources/component-types.ts'
import type {ComponentResource} from '../../files/resources/components.ts'
import type {DaprdComponents} from './daprd/daprd-access.ts'
import type {Component, OpenOptions} from './component.ts'
import type {ComponentSet, Use} from './component-set.ts'
import {propertyValues, topicPrefixOf} from './component-values.ts'
import {ComponentFault, Properties} from './properties.ts'
import type {SecretStore} from './secret-store.ts'
import type {StateStore} from './state-store.ts'

export interface OpenerOptions {
  readonly appId: string
  /** Folder of the app, where relative paths start. */
  readonly folder: string
  readonly env: OpenOptions['env']
  readonly set: ComponentSet
  readonly log: (level: LogLevel, message: string) => void
}

/** A component that an app uses. */
export interface OpenedComponent {
  readonly name: string
  readonly component: Component
  readonly properties: Properties
  /** Prefix of a broker's topics; '': none. */
  readonly topicPrefix: string
  readonly use: Use
}

/** Access to the other components of the app. */
interface OtherComponents {
  /** Opens a secret store; undefined: the app has none of this name. */
  readonly secretStore: (name: string) => Promise<{readonly component: SecretStore}> | undefined
  readonly openStores: () => readonly OpenedComponent[]
}

/** The error of a component whose secret store does not exist. */
export class NoSecretStore extends ComponentFault {}

/** The error of a component whose secret store could not be opened. */
export class ClosedSecretStore extends NoSecretStore {}

/** The error of a secret store whose own secret store waits for it, so that neither can open. */
class WaitingSecretStore extends NoSecretStore {}

export const isOfBlock = ({type}: ComponentResource, block: Block): boolean =>
  type.startsWith(block) && type[block.length] === '.'

export const isSecretStore = (resource: ComponentResource): boolean => isOfBlock(resource, 'secretstores')

/** Opens components for one app: looks up their secrets, checks their properties, and gets them from `ComponentSet`, which apps share. */
export class ComponentOpener {
  readonly #options: OpenerOptions
  readonly #others: OtherComponents
  readonly #owner = randomUUID()
  /** The secret stores that look up secrets now, each with the store that it waits for. */
  readonly #waitsFor = new Map<string, string>()

  constructor(options: OpenerOptions, others: OtherComponents) {
    this.#options = options
    this.#others = others
  }

  async open(resource: ComponentResource): Promise<OpenedComponent> {
    const {folder, env, set} = this.#options
    // after the lookup of secrets and variables, which may contain ports
    const values = movedTogether(await this.#valuesOf(resource), set.movedPorts)
    await set.checkServer(resource, values)
    const properties = new Properties(values)
    checkStoreSettings(resource, properties)
    if (isOfBlock(resource, 'state')) checkActorStore(resource.name, properties, this.#others.openStores())
    const keys = await encryptionOf(resource, properties)
    const use = await set.use({resource, properties: values, folder, owner: this.#owner, warn: this.#warn})
    const component = keys === undefined ? use.component : keys(use.component)
    return {name: resource.name, component, properties, topicPrefix: topicPrefixOf(resource, env), use}
  }

  readonly #warn = (text: string): void => this.#options.log('warn', text)

  /** Returns the properties with their secrets. Rejects with a NoSecretStore if the secret store is missing, not open, or waits for this one. */
  async #valuesOf(resource: ComponentResource): Promise<NonNullable<Awaited<ReturnType<typeof propertyValues>>>> {
    const {appId, env, set, log} = this.#options
    const notLoaded = `secret store ${resource.secretStore} is not loaded`
    let Absent = NoSecretStore
    // replayed answers of a model need no secret
    const properties = resource.properties.filter(({secret}) => secret === undefined || !set.isReplayed(resource))
    const values = await propertyValues(
      {...resource, properties},
      {
        appId,
        env,
        secretOf: (store, secret) => {
          if (isSecretStore(resource) && !this.#mayWait(resource.name, store)) {
            Absent = WaitingSecretStore
            return undefined
          }
          return this.#others.secretStore(store)?.then(
            async found => found.component.get(secret),
            (error: unknown) => {
              // two secret stores that need each other can never open
              const isMutual = error instanceof WaitingSecretStore && isSecretStore(resource)
              throw isMutual ? new Error(error.message) : new ClosedSecretStore(notLoaded, resource.place)
            }
          )
        },
        warn: this.#warn,
        error: text => log('error', text)
      }
    ).finally(() => this.#waitsFor.delete(resource.name))
    if (values === undefined) throw new Absent(notLoaded, resource.place)
    return values
  }

  /** Notes that a secret store waits for another one. Returns false if that one waits for it already. */
  #mayWait(store: string, other: string): boolean {
    for (let at: string | undefined = other; at !== undefined; at = this.#waitsFor.get(at))
      if (at === store) return false
    this.#waitsFor.set(store, other)
    return true
  }
}

/** Opens a component that daprd serves. Daprd looks up secrets and variables itself. */
export async function openByDaprd(daprd: DaprdComponents, resource: ComponentResource): Promise<OpenedComponent> {
  const component = await daprd.open(resource)
  const use = {component, release: async () => component.close?.()}
  const properties = new Properties(movedTogether(resource.properties, new Map(resource.moved)))
  // daprd adds the prefix to topics itself
  return {name: resource.name, component, properties, topicPrefix: '', use}
}

/** Throws a ComponentFault for an invalid `keyPrefix` of a state store or lock (Dapr: pkg/runtime/processor/state). */
function checkStoreSettings({type}: ComponentResource, properties: Properties): void {
  if (!['state', 'lock'].includes(splitType(type)[0])) return
  const prefix = properties.text('keyPrefix')
  if (!prefix.includes('||')) return
  properties.fault('keyPrefix', `failed to save lock keyprefix: input key/keyPrefix '${prefix}' can't contain '||'`)
}

/** Throws a ComponentFault if another store is the store for actors already (Dapr: pkg/runtime/compstore/statestore.go). */
function checkActorStore(name: string, properties: Properties, opened: readonly OpenedComponent[]): void {
  const other = opened.find(each => each.name !== name && each.properties.isTrue('actorStateStore'))
  if (other === undefined || !properties.isTrue('actorStateStore')) return
  properties.fault('actorStateStore', `detected duplicate actor state store: ${other.name} and ${name}`)
}

/** Returns a function that encrypts a state store; undefined: it has no keys. Throws a ComponentFault for wrong keys. */
async function encryptionOf(
  resource: ComponentResource,
  properties: Properties
): Promise<((store: Component) => StateStore) | undefined> {
  if (!isOfBlock(resource, 'state') || !resource.properties.some(isEncryptionKey)) return undefined
  const {encryptedBy} = await import('./state/encrypted-state.ts')
  return encryptedBy(resource, properties)
}
