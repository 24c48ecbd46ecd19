import {STATE_ITEM} from './state.ts'

/*
 * The messages of bindings, by their field numbers (dapr/proto/runtime/v1: binding.proto, appcallback.proto).
 */

export const INVOKE_BINDING = {
  name: [1, 'string'],
  data: [2, 'bytes'],
  metadata: [3, 'map'],
  operation: [4, 'string']
} as const

export const BINDING_RESPONSE = {data: [1, 'bytes'], metadata: [2, 'map']} as const

/** ListInputBindingsResponse */
export const INPUT_BINDINGS = {bindings: [1, 'strings']} as const

/** BindingEventRequest */
export const BINDING_EVENT = {name: [1, 'string'], data: [2, 'bytes'], metadata: [3, 'map']} as const

/** BindingEventResponse; `concurrency` 1: parallel. */
export const BINDING_EVENT_ANSWER = {
  storeName: [1, 'string'],
  states: [2, {list: STATE_ITEM}],
  to: [3, 'strings'],
  data: [4, 'bytes'],
  concurrency: [5, 'int32']
} as const
