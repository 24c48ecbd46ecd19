import type {Block} from '../../model/dapr/api/api.ts'
import {isBlock, splitType} from '../../files/resources/component-types.ts'
import {BINDING_TYPES} from './bindings/types.ts'
import type {Component, ComponentType, TypesOf} from './component.ts'
import {CONFIGURATION_TYPES} from './configuration/types.ts'
import {CONVERSATION_TYPES} from './conversation/types.ts'
import {CRYPTO_TYPES} from './crypto/types.ts'
import {LOCK_TYPES} from './lock/types.ts'
import {PUBSUB_TYPES} from './pubsub/types.ts'
import {SECRET_TYPES} from './secrets/types.ts'
import {STATE_TYPES} from './state/types.ts'

/** The types that are built, by block. */
const TYPES = {
  secretstores: SECRET_TYPES,
  state: STATE_TYPES,
  configuration: CONFIGURATION_TYPES,
  lock: LOCK_TYPES,
  crypto: CRYPTO_TYPES,
  conversation: CONVERSATION_TYPES,
  pubsub: PUBSUB_TYPES,
  bindings: BINDING_TYPES
} as const satisfies {readonly [B in Block]: TypesOf<Component>}

/** The interface of the components of each block. */
export type BlockTypes = {readonly [B in Block]: (typeof TYPES)[B] extends TypesOf<infer T> ? T : never}

export type BlockComponent = BlockTypes[Block]

/** Returns a type by its name (`state.redis`); undefined: it is not built in. */
export function componentType(type: string): ComponentType | undefined {
  const [category, kind] = splitType(type)
  return isBlock(category) && Object.hasOwn(TYPES[category], kind) ? TYPES[category][kind] : undefined
}
