import type {ComponentResource} from '../../resources/components.ts'
import {splitType, type Block} from '../../resources/component-types.ts'
import type {BlockTypes} from '../component.ts'
import {daprdBinding} from './binding.ts'
import type {DaprdAccess} from './daprd-access.ts'
import {DaprdPubSub} from './pubsub.ts'
import {DaprdStateStore} from './state.ts'
import {configurationStore, lockStore, secretStore} from './stores.ts'

/** A component that daprd has opened. */
export interface OpenedByDaprd {
  readonly resource: ComponentResource
  /** As its metadata has them. */
  readonly capabilities: readonly string[]
  readonly access: DaprdAccess
}

export type BlockComponent = BlockTypes[Block]

const OPENERS: {readonly [B in Block]: (options: OpenedByDaprd) => BlockTypes[B]} = {
  secretstores: secretStore,
  state: options => new DaprdStateStore(options),
  configuration: configurationStore,
  lock: lockStore,
  pubsub: options => new DaprdPubSub(options),
  bindings: daprdBinding
}

/** A component of daprd for our blocks; its type is of one of them. */
export const componentOf = (options: OpenedByDaprd): BlockComponent =>
  OPENERS[splitType(options.resource.type)[0] as Block](options)
