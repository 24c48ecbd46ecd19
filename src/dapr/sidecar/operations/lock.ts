import type {Unlocked} from '../../components/lock-store.ts'
import type {LOCK} from '../../../model/dapr/api/blocks.ts'
import {
  TryLockRequest,
  TryLockResponse,
  UnlockRequest,
  UnlockResponse,
  UnlockResponse_Status as STATUS
} from '../../../model/dapr/messages/lock.generated.ts'
import {universal, type OperationsOf} from './operation.ts'

const STATUSES: Readonly<Record<Unlocked, number>> = {
  done: STATUS.SUCCESS,
  'not-there': STATUS.LOCK_DOES_NOT_EXIST,
  'not-owned': STATUS.LOCK_BELONGS_TO_OTHERS,
  failed: STATUS.INTERNAL_ERROR
}

/** Locks (Dapr: pkg/api/universal/lock.go). */
export const LOCK_OPERATIONS: OperationsOf<typeof LOCK> = {
  TryLock: universal({
    request: TryLockRequest,
    reply: TryLockResponse,
    params: ['storeName'],
    run: async ({locks}, {storeName, ...options}, onGone) => ({success: await locks.lock(storeName, options, onGone)})
  }),
  Unlock: universal({
    request: UnlockRequest,
    reply: UnlockResponse,
    params: ['storeName'],
    run: async ({locks}, {storeName, ...options}, onGone) => ({
      status: STATUSES[await locks.unlock(storeName, options, onGone)]
    })
  })
}
