import type {Block} from '../../../model/dapr/api/api.ts'
import {splitType} from '../../../files/resources/component-types.ts'
import type {BlockComponent, BlockTypes} from '../block-types.ts'
import {daprdBinding, daprdBroker} from './readers.ts'
import type {OpenedByDaprd} from './daprd-access.ts'
import {daprdStore, configurationStore, lockStore, secretStore} from './stores.ts'

/** The blocks whose components a daprd can have for us (`isForDaprd`). */
type ServedBlock = Exclude<Block, 'crypto' | 'conversation'>

const OPENERS: {readonly [B in ServedBlock]: (options: OpenedByDaprd) => BlockTypes[B]} = {
  secretstores: secretStore,
  state: daprdStore,
  configuration: configurationStore,
  lock: lockStore,
  pubsub: daprdBroker,
  bindings: daprdBinding
}

/** Returns the component for one of our blocks. The type must belong to a block. */
export const componentOf = (options: OpenedByDaprd): BlockComponent =>
  OPENERS[splitType(options.resource.type)[0] as ServedBlock](options)
