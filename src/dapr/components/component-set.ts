import {API} from '../../model/dapr/api/api.ts'
import {messageOf} from '../../model/errors.ts'
import {movedTogether, type MovedPorts, namesThisMachine, portsNamed} from '../../model/moved-ports.ts'
import type {Plan} from '../../model/plan.ts'
import {bounded, withinBoundary} from '../../platform/boundary.ts'
import type {ComponentResource} from '../../files/resources/components.ts'
import {isBlock, splitType} from '../../files/resources/component-types.ts'
import {componentType} from './block-types.ts'
import type {Component, ComponentType, OpenComponent, OpenOptions} from './component.ts'
import type {Recordings} from './conversation/recordings.ts'
import type {PlacedComponent} from './data-place.ts'
import {InitClock} from './init-clock.ts'
import type {RedisAccess} from './redis/redis-servers.ts'
import {Properties, type Property, ComponentFault} from './properties.ts'
import {ownOf} from '../../model/own.ts'

/** An open component, and the number of apps that use it. */
interface Instance {
  readonly opened: Promise<Component>
  users: number
}

/** A component that an app wants to use. */
export interface WantedComponent {
  readonly resource: ComponentResource
  readonly properties: readonly Property[]
  readonly folder: string
  /** Id of the sidecar, which gets components of its own for types with `isPrivate`. */
  readonly owner: string
  readonly warn: (text: string) => void
}

/** The use of a component by one app, until the app releases it. */
export interface Use {
  readonly component: Component
  release(): Promise<void>
}

interface ComponentSetOptions extends Pick<OpenOptions, 'env' | 'redis'> {
  /** Components that record or replay answers of models (`plans`, by name), and the folder of the template. Omitted: none. */
  readonly conversation?: {readonly plans: NonNullable<Plan['conversation']>; readonly folder: string}
  /** Ports of this copy that replace the ports in its resources. Omitted: none. */
  readonly movedPorts?: MovedPorts
  /** Explains why a server at one of these ports of this machine must not be used; '': it may be. `mayBeRun`: a run itself may listen there. */
  readonly serverRefusal?: (ports: Iterable<number>, mayBeRun: boolean) => Promise<string>
  /** Whether the plan gives this port of this machine to an app of this run. Omitted: no. */
  readonly isOwnPort?: (port: number) => boolean
  /** Called with each component that an app has opened. */
  readonly opened?: (component: PlacedComponent) => void
}

/** The open components of a run. Apps with equal resources share one. */
export class ComponentSet {
  readonly #options: ComponentSetOptions
  readonly #instances = new Map<string, Instance>()
  /** Names of open components whose answers are recorded or replayed. */
  readonly recorded = new Set<string>()
  #recordings: Recordings | undefined
  readonly movedPorts: MovedPorts
  readonly opened: (component: PlacedComponent) => void

  constructor(options: ComponentSetOptions) {
    this.#options = options
    this.movedPorts = options.movedPorts ?? new Map()
    this.opened = options.opened ?? (() => undefined)
  }

  /**
   * Whether the server of a component is an app of this run, which starts later: the component then opens at its first use. False for Redis,
   * whose connections wait for the server themselves.
   */
  isServedByApp({type, properties}: Pick<ComponentResource, 'type' | 'properties'>): boolean {
    const {isOwnPort} = this.#options
    if (isOwnPort === undefined || type.endsWith('.redis')) return false
    return [...serverPorts(type, movedTogether(properties, this.movedPorts))].some(isOwnPort)
  }

  /** Rejects with a ComponentFault if the server of a component belongs to another run. */
  async checkServer({type, place}: ComponentResource, properties: readonly Property[]): Promise<void> {
    // a run may be the Redis server itself
    const why = await this.#options.serverRefusal?.(serverPorts(type, properties), type.endsWith('.redis'))
    if (why !== undefined && why !== '') throw new ComponentFault(why, place)
  }

  /** Whether the answers of a model are replayed from a file. */
  isReplayed({name, type}: Pick<ComponentResource, 'name' | 'type'>): boolean {
    return this.#modeOf({name, type}) === 'replay'
  }

  #modeOf({name, type}: Pick<ComponentResource, 'name' | 'type'>): string {
    const {plans = {}} = this.#options.conversation ?? {}
    return type.startsWith('conversation.') && Object.hasOwn(plans, name) ? (plans[name]?.mode ?? 'live') : 'live'
  }

  /** Opens a component, or shares the open one. Rejects with the reason of a failure. */
  async use(wanted: WantedComponent): Promise<Use> {
    const key = keyOf(wanted)
    const instance = this.#instances.get(key) ?? {opened: this.#open(wanted), users: 0}
    this.#instances.set(key, instance)
    instance.users++
    let isReleased = false
    const release = async (): Promise<void> => {
      if (isReleased) return
      isReleased = true
      if (--instance.users > 0 || loaderOf(wanted.resource).livesOn === true) return
      this.#instances.delete(key)
      await (await instance.opened).close?.()
    }
    const component = await instance.opened.catch((error: unknown) => {
      // the next app tries again
      if (this.#instances.get(key) === instance) this.#instances.delete(key)
      throw error
    })
    return {component, release}
  }

  /** Opens a model whose answers are recorded or replayed. */
  async #recorded(resource: ComponentResource): Promise<OpenComponent<Component>> {
    const {folder = ''} = this.#options.conversation ?? {}
    this.recorded.add(resource.name)
    const {Recordings: All} = await import('./conversation/recordings.ts')
    this.#recordings ??= new All(folder)
    return this.#recordings.opener(resource, this.isReplayed(resource))
  }

  async #open({resource, properties, folder, warn}: WantedComponent): Promise<Component> {
    const {name, initTimeoutMs, place} = resource
    const {load, hasClient} = loaderOf(resource)
    const open = this.#modeOf(resource) === 'live' ? await load() : await this.#recorded(resource)
    const heard = (error: unknown): void => warn(`component ${name}: its client failed: ${messageOf(error)}`)
    const late = Promise.withResolvers<never>()
    const clock = new InitClock(initTimeoutMs, () => {
      const why = `init timeout for component ${name} exceeded after ${initTimeoutMs / 1000}s`
      late.reject(new ComponentFault(why, place))
    })
    const {env, redis: servers} = this.#options
    const redis: RedisAccess = {connect: async target => servers.connect(target, clock.apart)}
    const options = {name, version: versionOf(resource), properties: new Properties(properties), folder, warn}
    const begin = async (): Promise<Component> => open({env, redis, ...options})
    const opening =
      hasClient === true ? withinBoundary(heard, begin).then(component => bounded(component, heard)) : begin()
    try {
      return await Promise.race([opening, late.promise])
    } catch (error) {
      // closes a component that opens after the timeout
      void opening.then(async component => component.close?.()).catch(() => undefined)
      throw error
    } finally {
      clock.end()
    }
  }
}

/** Returns a key that is equal for apps that share a component. */
function keyOf({resource, properties, folder, owner}: WantedComponent): string {
  const {name, type, version, place} = resource
  const {usesFolder, isPrivate, hasNoSettings} = loaderOf(resource)
  const values = hasNoSettings === true ? [] : properties.map(({name: key, value}) => [key, value])
  const own = isPrivate === true ? owner : usesFolder === true ? folder : ''
  return JSON.stringify([place.file, name, type, version, values, own])
}

/** Returns the type of a component. Throws Dapr's error for an unknown one (pkg/components). */
function loaderOf({name, type, version, typePlace}: ComponentResource): ComponentType {
  const loader = componentType(type)
  const known = versionOf({version})
  if (loader !== undefined && (known === 'v1' || loader.versions?.includes(known) === true)) return loader
  const [category] = splitType(type)
  const what =
    category === 'bindings'
      ? `binding ${name} (${type}/${version})`
      : `${isBlock(category) ? API[category].components.one : category} ${type}/${version}`
  throw new ComponentFault(`couldn't find ${what}`, typePlace)
}

/** Returns the version in lower case (Dapr: pkg/components, in each registry). */
const versionOf = ({version}: Pick<ComponentResource, 'version'>): string => version.toLowerCase() || 'v1'

const NOT_COMPARED = new Set(['place', 'typePlace', 'scopes'])

/** Returns a text that changes if a component must be opened again. Its place is not part of it, since comments may move its lines. */
export const textOfResource = (resource: ComponentResource): string =>
  resource.place.file + JSON.stringify(resource, (key, value: unknown) => (NOT_COMPARED.has(key) ? undefined : value))

/** Default ports of servers, by the last part of the component type. */
const USUAL: Readonly<Record<string, number>> = {
  redis: 6379,
  postgresql: 5432,
  postgres: 5432,
  rabbitmq: 5672,
  kafka: 9092,
  mysql: 3306,
  mongodb: 27_017
}

/** Returns the ports of this machine at which the server of a component may be. */
export function serverPorts(
  type: string,
  properties: readonly Pick<Property, 'name' | 'value'>[]
): ReadonlySet<number> {
  const named = portsNamed(properties)
  const usual = ownOf(USUAL, type.slice(type.lastIndexOf('.') + 1))
  const isUsual = named.size === 0 && properties.some(({value}) => namesThisMachine(value))
  return isUsual && usual !== undefined ? new Set([usual]) : named
}
