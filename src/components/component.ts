// components/: state stores, message brokers, secret stores and their like, one file for each type, loaded when a file of a
// template names that type. A component knows neither HTTP nor gRPC, and serves all apps that may use it.
import type {Place} from '../model/errors.ts'
import type {Binding} from './binding.ts'
import type {ConfigurationStore} from './configuration-store.ts'
import type {LockStore} from './lock-store.ts'
import type {Properties} from './properties.ts'
import type {PubSub} from './pubsub.ts'
import type {RedisAccess} from './redis/redis-access.ts'
import type {SecretStore} from './secret-store.ts'
import type {StateStore} from './state-store.ts'

/** What all components have in common. */
export interface Component {
  /** Dapr's words for what it can do, for `/v1.0/metadata`: `ETAG`, `TRANSACTIONAL` … */
  readonly capabilities: readonly string[]
  /** Ends it: what was written is kept. */
  close(): Promise<void>
}

/** What the components of each block can do. */
export interface BlockTypes {
  readonly secretstores: SecretStore
  readonly state: StateStore
  readonly lock: LockStore
  readonly configuration: ConfigurationStore
  readonly pubsub: PubSub
  readonly bindings: Binding
}

/** What a component is opened with. */
export interface OpenOptions {
  readonly name: string
  /** `v1`, or one of its loader's `versions`. */
  readonly version: string
  readonly properties: Properties
  /** Relative paths start here: the folder of the app. */
  readonly folder: string
  /** The environment that we were started in. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Connects to Redis. */
  readonly redis: RedisAccess
  readonly warn: (text: string) => void
  /** Aborted when it takes too long, or nobody wants it any more. */
  readonly signal: AbortSignal
}

/** Opens a component. Rejects with a ComponentFault, or with what the machine says. */
export type OpenComponent<T extends Component> = (options: OpenOptions) => Promise<T>

/** Something is wrong with what a file says of a component. */
export class ComponentFault extends Error {
  readonly place: Place | undefined

  constructor(message: string, place?: Place) {
    super(message)
    this.name = 'ComponentFault'
    this.place = place
  }
}
