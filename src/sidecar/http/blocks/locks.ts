import type {Reply} from '../../../net/reply.ts'
import type {Unlocked} from '../../../components/lock-store.ts'
import {isObject, malformed, readJson, textIn, type BlockHandler, type BlockRequest} from './block-request.ts'

// Locks over HTTP (Dapr: pkg/api/http/lock.go).

const json = (value: unknown): Reply => ({
  status: 200,
  type: 'application/json',
  body: JSON.stringify(value),
  lines: ''
})

const STATUSES: Readonly<Record<Unlocked, number>> = {done: 0, 'not-there': 1, 'not-owned': 2, failed: 3}

/** An empty body counts as an empty object: the error names the missing properties. */
function bodyOf(request: BlockRequest): Readonly<Record<string, unknown>> {
  const {value} = request.body.length === 0 ? {value: {}} : readJson(request)
  if (!isObject(value)) throw malformed('expected an object')
  return value
}

export const lock: BlockHandler = async ({locks}, request) => {
  const value = bodyOf(request)
  const expiryInSeconds = value['expiryInSeconds'] ?? 0
  if (typeof expiryInSeconds !== 'number') throw malformed('"expiryInSeconds" must be a number')
  const wish = {resourceId: textIn(value, 'resourceId'), lockOwner: textIn(value, 'lockOwner'), expiryInSeconds}
  return json({success: await locks.lock(request.params[0] ?? '', wish, request.onGone)})
}

export const unlock: BlockHandler = async ({locks}, request) => {
  const value = bodyOf(request)
  const wish = {resourceId: textIn(value, 'resourceId'), lockOwner: textIn(value, 'lockOwner')}
  return json({status: STATUSES[await locks.unlock(request.params[0] ?? '', wish, request.onGone)]})
}
