import type {Unlocked} from '../../../components/lock-store.ts'
import {decode, encode} from '../../../net/grpc/message-codec.ts'
import type {BlockMethod} from './block-method.ts'
import {LOCKED, TRY_LOCK, UNLOCK, UNLOCKED} from '../../../net/grpc/messages/configuration.ts'

// Locks over gRPC (Dapr: pkg/api/universal/lock.go).

/** UnlockResponse.Status */
const STATUSES: Readonly<Record<Unlocked, number>> = {done: 0, 'not-there': 1, 'not-owned': 2, failed: 3}

export const tryLock: BlockMethod = async ({locks}, bytes, {onGone}) => {
  const {storeName, ...request} = decode(TRY_LOCK, bytes)
  return encode(LOCKED, {success: await locks.lock(storeName, request, onGone)})
}

export const unlock: BlockMethod = async ({locks}, bytes, {onGone}) => {
  const {storeName, ...request} = decode(UNLOCK, bytes)
  return encode(UNLOCKED, {status: STATUSES[await locks.unlock(storeName, request, onGone)]})
}
