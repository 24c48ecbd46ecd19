import {isStatus} from './api-error.ts'
import {foreign, type Change} from './check.ts'
import type {LiveObject, ObjectStore} from './object-store.ts'
import {keptText, patienceFor} from './take-down.ts'
import {setTimeout as sleep} from 'node:timers/promises'
import {UserError} from '../../../model/errors.ts'

const INTERVAL_MS = 200
const MAX_MS = 60_000

export type ApplyOutcome = 'created' | 'configured' | 'unchanged'

export interface Applied {
  readonly outcome: ApplyOutcome
  readonly live: LiveObject
}

/** Makes one change. An object that is still going is waited for; since the check another one may have made one of that name. Rejects with a `UserError`. */
export async function applyChange(store: ObjectStore, change: Change, signal: AbortSignal): Promise<Applied> {
  const {object, isReplaced} = change
  const refuseForeign = (live: LiveObject | undefined): void => {
    const fault = foreign(live, object, store)
    if (fault !== undefined) throw fault
  }
  let patienceMs = MAX_MS
  if (isReplaced) {
    const before = await store.find(object)
    refuseForeign(before)
    if (before !== undefined) {
      // what a Job does is never done by two pods at once
      await store.delete({...object, metadata: before.metadata}, 'Foreground')
      patienceMs += patienceFor([before])
    }
  }
  const end = performance.now() + patienceMs
  let live = await store.find(object)
  for (; live?.metadata.deletionTimestamp !== undefined; live = await store.find(object)) {
    if (performance.now() > end) throw new UserError(`after ${patienceMs / 1000} s there still is ${keptText(live)}`)
    await sleep(INTERVAL_MS, undefined, {signal})
  }
  refuseForeign(live)
  // with it the server changes no other object of the name, and makes none
  const metadata = {...object.metadata, uid: live?.metadata.uid}
  try {
    const made = await store.apply({...object, metadata})
    if (live === undefined) return {live: made, outcome: 'created'}
    return {live: made, outcome: isSame(live, made) ? 'unchanged' : 'configured'}
  } catch (error) {
    const isRefused = error instanceof UserError && [409, 422].some(code => isStatus(error.cause, code))
    if (!isRefused || (await store.find(object))?.metadata.uid === metadata.uid) throw error
    return applyChange(store, {...change, isReplaced: false}, signal)
  }
}

/** The server wrote nothing: whether the object is as it was, but for its status and what the cluster itself notes. */
export const isSame = (before: LiveObject, after: LiveObject): boolean =>
  before.metadata.generation === after.metadata.generation && writtenIn(before) === writtenIn(after)

function writtenIn({status: _status, metadata: {labels, annotations}, ...others}: LiveObject): string {
  const {'deployment.kubernetes.io/revision': _revision, ...own} = annotations ?? {}
  return JSON.stringify([others, labels, own])
}
