import {setTimeout as sleep} from 'node:timers/promises'
import {UserError} from '../../../model/errors.ts'
import type {KubernetesObject} from '../object.ts'
import {nameOf, type ObjectStore} from './object-store.ts'

const INTERVAL_MS = 200
const MAX_MS = 60_000

/** Waits until an object that is being deleted is gone. Rejects with a `UserError` that names what keeps it. */
export async function untilGone(store: ObjectStore, object: KubernetesObject, signal: AbortSignal): Promise<void> {
  const end = Date.now() + MAX_MS
  for (;;) {
    const live = await store.find(object)
    if (live?.metadata.deletionTimestamp === undefined) return
    if (Date.now() > end) {
      const {finalizers = []} = live.metadata
      const why =
        finalizers.length === 0 ? 'the cluster does not delete it' : `a finalizer keeps it: ${finalizers.join(', ')}`
      throw new UserError(`${nameOf(object)} has been terminating for ${MAX_MS / 1000} s: ${why}`)
    }
    await sleep(INTERVAL_MS, undefined, {signal})
  }
}
