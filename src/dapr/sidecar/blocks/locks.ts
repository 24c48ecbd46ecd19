import type {AppComponent} from '../../components/app-components.ts'
import type {Unlocked} from '../../components/lock/types.ts'
import type {OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {messageOf} from '../../../model/errors.ts'
import {BlockError, toldWhy} from './block-error.ts'
import type {BlockContext} from './block-context.ts'
import {prefixOf, SEPARATOR} from './key-prefix.ts'

export interface LockRequest {
  readonly resourceId: string
  readonly lockOwner: string
}

/** The locks of one app (Dapr: pkg/api/universal/lock.go). */
export class Locks {
  readonly #context: BlockContext

  constructor(context: BlockContext) {
    this.#context = context
  }

  /** False: it is held by another owner. */
  async lock(
    storeName: string,
    request: LockRequest & {readonly expiryInSeconds: number},
    onGone?: OnGone
  ): Promise<boolean> {
    if (request.expiryInSeconds <= 0) throw malformed('ExpiryInSeconds is not positive', storeName)
    const store = await this.#store(storeName, request)
    try {
      const key = this.#keyIn(store, request)
      return await this.#context.outbound({block: 'lock', name: storeName, onGone}, async () =>
        store.component.lock(key, request.lockOwner, request.expiryInSeconds * 1000)
      )
    } catch (error) {
      throw new BlockError([500, 'internal', 'ERR_TRY_LOCK'], `failed to try acquiring lock: ${messageOf(error)}`)
    }
  }

  async unlock(storeName: string, request: LockRequest, onGone?: OnGone): Promise<Unlocked> {
    const store = await this.#store(storeName, request)
    try {
      const key = this.#keyIn(store, request)
      return await this.#context.outbound({block: 'lock', name: storeName, onGone}, async () =>
        store.component.unlock(key, request.lockOwner)
      )
    } catch (error) {
      throw new BlockError([500, 'internal', 'ERR_UNLOCK'], `failed to release lock: ${messageOf(error)}`)
    }
  }

  #keyIn({name, properties, space}: AppComponent<'lock'>, {resourceId}: LockRequest): string {
    const {appId, namespace} = this.#context
    const prefix = prefixOf(properties.text('keyPrefix'), {appId, namespace, component: name, space})
    const wrong = [resourceId, prefix].find(text => text.includes(SEPARATOR))
    if (wrong !== undefined) throw new Error(`input key/keyPrefix '${wrong}' can't contain '${SEPARATOR}'`)
    return ['lock', ...(prefix === '' ? [] : [prefix]), resourceId].join(SEPARATOR)
  }

  /** Checks in the order of Dapr: any store, the fields, this store. */
  async #store(name: string, {resourceId, lockOwner}: LockRequest): Promise<AppComponent<'lock'>> {
    const fault = resourceId === '' ? 'ResourceId is empty' : lockOwner === '' ? 'LockOwner is empty' : ''
    const store = await this.#context.component('lock', name, {
      none: toldWhy([500, 'failedPrecondition', 'ERR_LOCK_STORE_NOT_CONFIGURED'], 'lock store is not configured'),
      unknown: why =>
        fault === ''
          ? new BlockError([400, 'invalidArgument', 'ERR_LOCK_STORE_NOT_FOUND'], `lock store ${name} not found${why}`)
          : malformed(fault, name)
    })
    if (fault !== '') throw malformed(fault, name)
    return store
  }
}

const malformed = (fault: string, name: string): BlockError =>
  new BlockError([400, 'invalidArgument', 'ERR_MALFORMED_REQUEST'], `${fault} in lock store ${name}`)
