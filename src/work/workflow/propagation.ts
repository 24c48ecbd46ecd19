import {decode, encode} from '../../proxy/net/grpc/message-codec.ts'
import type {Instance} from './instance.ts'
import {readEvent, splitEvents, NO_BYTES} from './messages.ts'
import type {LiveInstance} from './work-items.ts'

/** HistoryPropagationScope: nothing, the own history, or also that of its callers. */
const NONE = 0
const LINEAGE = 2

/** PropagatedHistory: chunks are passed on undecoded. */
const PROPAGATED = {scope: [1, 'int32'], chunks: [2, 'chunks']} as const
const CHUNK = {
  rawEvents: [1, 'chunks'],
  appId: [2, 'string'],
  instanceId: [3, 'string'],
  workflowName: [4, 'string']
} as const

/** The history that a task gets from the instance that asks for it (durabletask-go: backend/runtimestate/propagation.go); empty: none. */
export function propagatedHistory(
  {instance, history}: LiveInstance,
  scope: number | undefined,
  task: number
): Uint8Array {
  if (scope === undefined || scope === NONE) return NO_BYTES
  const events = history.flatMap(splitEvents)
  return assembled(instance, scope, events.slice(0, events.findLastIndex(event => isStep(event, task)) + 1))
}

/** The history that the next round of a continue-as-new receives: what this round has received, and its own; undefined: none. */
export function forwardedHistory(instance: Instance, events: readonly Uint8Array[]): Uint8Array | undefined {
  const {received} = instance
  return received === undefined ? undefined : assembled(instance, decode(PROPAGATED, received).scope, events)
}

function assembled({app, id, name, received}: Instance, scope: number, rawEvents: readonly Uint8Array[]): Uint8Array {
  const own = encode(CHUNK, {rawEvents, appId: app, instanceId: id, workflowName: name})
  const before = scope === LINEAGE && received !== undefined ? decode(PROPAGATED, received).chunks : []
  return encode(PROPAGATED, {scope, chunks: [...before, own]})
}

function isStep(bytes: Uint8Array, task: number): boolean {
  const {eventId, taskScheduled, childCreated} = readEvent(bytes)
  return eventId === task && (taskScheduled ?? childCreated) !== undefined
}
