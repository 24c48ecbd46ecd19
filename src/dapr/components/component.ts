// dapr/components/: state stores, message brokers, secret stores and their like, one file for each type, loaded when a file of a
// template names that type. A component knows neither HTTP nor gRPC, and serves all apps that may use it.
import type {TypeFacts} from '../../files/resources/component-types.ts'
import type {Environment} from '../../model/environment.ts'
import type {Properties} from './properties.ts'
import type {RedisAccess} from './redis/redis-servers.ts'

/** The part that all components have. */
export interface Component {
  /** Its capabilities in Dapr's words, for `/v1.0/metadata`: `ETAG`, `TRANSACTIONAL` … */
  readonly capabilities: readonly string[]
  /** Closes the component. Its stored data stay. */
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
  /** The environment of our own process. */
  readonly env: Environment
  readonly redis: RedisAccess
  readonly warn: (text: string) => void
}

/** Opens a component. Rejects with a ComponentFault, or with an error of the system. */
export type OpenComponent<T extends Component> = (options: OpenOptions) => Promise<T>

/** A type of component, next to its code: its properties, its operations and its opening. */
export interface ComponentType<T extends Component = Component> extends TypeFacts {
  readonly load: () => Promise<OpenComponent<T>>
  /** Whether paths in its metadata are relative to the folder of the app. Apps in different folders then do not share it. */
  readonly usesFolder?: boolean
  /** Whether each sidecar has one of its own, so that apps do not share it. */
  readonly isPrivate?: boolean
  /** Whether its code reads no properties. When these change, it stays open with its data. */
  readonly hasNoSettings?: boolean
  /** Whether closing it loses its data. Such a component stays open until the run ends, also while no app uses it. */
  readonly livesOn?: boolean
  /** Whether the client of a library runs in the background. Its uncaught errors are logged, and do not end the run. */
  readonly hasClient?: boolean
  /** Versions besides `v1`. */
  readonly versions?: readonly string[]
}

/** The types of a block, by the part behind their category. */
export type TypesOf<T extends Component> = Readonly<Record<string, ComponentType<T>>>
