import type {KubernetesObject} from '../object.ts'
import type {Change} from './check.ts'
import type {LiveObject, ObjectStore} from './object-store.ts'
import {untilGone} from './until-gone.ts'

export type Outcome = 'created' | 'configured' | 'unchanged'

export interface Applied {
  readonly outcome: Outcome
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

function outcomeOf(before: LiveObject | undefined, after: LiveObject): Outcome {
  if (before?.metadata.uid !== after.metadata.uid) return 'created'
  return isSame(before, after) ? 'unchanged' : 'configured'
}

/** The server wrote nothing: whether the object is as it was, but for its status. */
export const isSame = (before: LiveObject, after: LiveObject): boolean =>
  before.metadata.generation === undefined
    ? before.metadata.resourceVersion === after.metadata.resourceVersion || specOf(before) === specOf(after)
    : before.metadata.generation === after.metadata.generation && metaOf(before) === metaOf(after)

const metaOf = ({metadata: {labels, annotations}}: KubernetesObject): string => {
  const {'deployment.kubernetes.io/revision': _revision, ...others} = annotations ?? {}
  return JSON.stringify([labels, others])
}

function specOf({status: _status, metadata, ...others}: LiveObject): string {
  const {labels, annotations} = metadata
  return JSON.stringify([others, labels, annotations])
}
