// dapr/components/: state stores, message brokers, secret stores and their like, one file for each type, loaded when a file of a
// template names that type. A component knows neither HTTP nor gRPC, and serves all apps that may use it.
import type {TypeFacts} from '../../files/resources/component-types.ts'
import type {Environment} from '../../model/environment.ts'
import type {Properties} from './properties.ts'
import type {RedisAccess} from './redis/redis-servers.ts'

/** Common part of all components. */
export interface Component {
  /** Its capabilities in Dapr's words, for `/v1.0/metadata`: `ETAG`, `TRANSACTIONAL` … */
  readonly capabilities: readonly string[]
  /** Closes it, and keeps written data. */
  readonly close?: (() => Promise<void>) | undefined
}

/** The options with which a component is opened. */
export interface OpenOptions {
  readonly name: string
  /** `v1`, or one of its loader's `versions`. */
  readonly version: string
  readonly properties: Properties
  /** Relative paths start here: the folder of the app. */
  readonly folder: string
  /** The environment that we were started in. */
  readonly env: Environment
  readonly redis: RedisAccess
  readonly warn: (text: string) => void
}

/** Opens a component. Rejects with a ComponentFault, or with an error of the system. */
export type OpenComponent<T extends Component> = (options: OpenOptions) => Promise<T>

/** A type of component, next to its code: its properties, its operations and its opening. */
export interface ComponentType<T extends Component = Component> extends TypeFacts {
  readonly load: () => Promise<OpenComponent<T>>
  /** Paths in its metadata start in the folder of the app: apps in different folders do not share it. */
  readonly usesFolder?: boolean
  /** Each sidecar has its own: apps do not share it. */
  readonly isPrivate?: boolean
  /** Whether its code reads none of its properties. When they change, it stays open with its data. */
  readonly hasNoSettings?: boolean
  /** Whether closing it loses its data. Such a component lives until the run ends, also while no app uses it. */
  readonly livesOn?: boolean
  /** A library's client works for it in the background. */
  readonly hasClient?: boolean
  /** Versions besides `v1`. */
  readonly versions?: readonly string[]
}

/** The types of a block, by the part behind their category. */
export type TypesOf<T extends Component> = Readonly<Record<string, ComponentType<T>>>
