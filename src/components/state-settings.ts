import type {ComponentResource} from '../resources/components.ts'
import {splitType} from '../resources/component-types.ts'
import {whyRefused} from '../resources/unbuilt-properties.ts'
import {ComponentFault} from './component-fault.ts'
import type {Properties} from './properties.ts'

/** Throws if a property that all stores have, and not their types, cannot be followed (Dapr: pkg/runtime/processor/state). */
export function checkStoreSettings({type, properties: written}: ComponentResource, properties: Properties): void {
  for (const {name, place} of written) {
    const why = whyRefused(type, name)
    if (why !== '') throw new ComponentFault(why, place)
  }
  if (!['state', 'lock'].includes(splitType(type)[0])) return
  const prefix = properties.text('keyPrefix')
  if (!prefix.includes('||')) return
  properties.fault('keyPrefix', `failed to save lock keyprefix: input key/keyPrefix '${prefix}' can't contain '||'`)
}

/** Throws if a state store is for actors, and another one is, too (Dapr: pkg/runtime/compstore/statestore.go). */
export function checkActorStore(name: string, properties: Properties, opened: readonly OpenedStore[]): void {
  const other = opened.find(each => each.name !== name && each.properties.isTrue('actorStateStore'))
  if (other === undefined || !properties.isTrue('actorStateStore')) return
  properties.fault('actorStateStore', `detected duplicate actor state store: ${other.name} and ${name}`)
}

interface OpenedStore {
  readonly name: string
  readonly properties: Properties
}
