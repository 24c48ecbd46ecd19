import type {Block} from '../dapr/api/api.ts'
import type {Binding} from './binding.ts'
import type {ConfigurationStore} from './configuration-store.ts'
import type {LockStore} from './lock-store.ts'
import type {PubSub} from './pubsub.ts'
import type {SecretStore} from './secret-store.ts'
import type {StateStore} from './state-store.ts'

/** The interface of the components of each block. */
export interface BlockTypes {
  readonly secretstores: SecretStore
  readonly state: StateStore
  readonly lock: LockStore
  readonly configuration: ConfigurationStore
  readonly pubsub: PubSub
  readonly bindings: Binding
}

export type BlockComponent = BlockTypes[Block]
