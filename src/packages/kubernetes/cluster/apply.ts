import type {KubernetesObject} from '../object.ts'
import type {Change} from './check.ts'
import type {LiveObject, ObjectStore} from './object-store.ts'
import {keptText} from './take-down.ts'
import {setTimeout as sleep} from 'node:timers/promises'
import {UserError} from '../../../model/errors.ts'

const INTERVAL_MS = 200
const MAX_MS = 60_000

/** Waits until an object that is being deleted is gone. Rejects with a `UserError` that names what keeps it. */
async function untilGone(store: ObjectStore, object: KubernetesObject, signal: AbortSignal): Promise<void> {
  const end = performance.now() + MAX_MS
  for (;;) {
    const live = await store.find(object)
    if (live?.metadata.deletionTimestamp === undefined) return
    if (performance.now() > end) throw new UserError(`after ${MAX_MS / 1000} s there still is ${keptText(live)}`)
    await sleep(INTERVAL_MS, undefined, {signal})
  }
}

export type ApplyOutcome = 'created' | 'configured' | 'unchanged'

export interface Applied {
  readonly outcome: ApplyOutcome
  readonly live: LiveObject
}

/** Makes one change. An object of our last run that is still going is waited for. Rejects with a `UserError`. */
export async function applyChange(store: ObjectStore, change: Change, signal: AbortSignal): Promise<Applied> {
  const {object, live, isReplaced} = change
  if (isReplaced) await store.delete(object)
  if (isReplaced || live?.metadata.deletionTimestamp !== undefined) await untilGone(store, object, signal)
  const made = await store.apply(object)
  return {live: made, outcome: outcomeOf(live, made)}
}

function outcomeOf(before: LiveObject | undefined, after: LiveObject): ApplyOutcome {
  if (before?.metadata.uid !== after.metadata.uid) return 'created'
  return isSame(before, after) ? 'unchanged' : 'configured'
}

/** The server wrote nothing: whether the object is as it was, but for its status and what the cluster itself notes. */
export const isSame = (before: LiveObject, after: LiveObject): boolean =>
  before.metadata.generation === after.metadata.generation && writtenIn(before) === writtenIn(after)

function writtenIn({status: _status, metadata: {labels, annotations}, ...others}: LiveObject): string {
  const {'deployment.kubernetes.io/revision': _revision, ...own} = annotations ?? {}
  return JSON.stringify([others, labels, own])
}
