import type {AppComponent} from '../../components/app-components.ts'
import type {Unlocked} from '../../components/lock-store.ts'
import type {OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {BlockError, rethrowAs, daprError} from './block-error.ts'
import {AppBlock} from './block-context.ts'
import {prefixOf, SEPARATOR} from './key-prefix.ts'

interface LockRequest {
  readonly resourceId: string
  readonly lockOwner: string
}

/** The locks of one app (Dapr: pkg/api/universal/lock.go). */
export class Locks extends AppBlock {
  /** Takes a lock. Resolves with false if another owner holds it. */
  async lock(
    storeName: string,
    request: LockRequest & {readonly expiryInSeconds: number},
    onGone?: OnGone
  ): Promise<boolean> {
    if (request.expiryInSeconds <= 0) throw malformed('ExpiryInSeconds is not positive', storeName)
    const store = await this.#store(storeName, request)
    const {lockOwner, expiryInSeconds} = request
    return this.#call(store, request, onGone, async key =>
      store.component.lock(key, lockOwner, expiryInSeconds * 1000)
    ).catch(rethrowAs([500, 'internal', 'ERR_TRY_LOCK'], 'failed to try acquiring lock: '))
  }

  async unlock(storeName: string, request: LockRequest, onGone?: OnGone): Promise<Unlocked> {
    const store = await this.#store(storeName, request)
    return this.#call(store, request, onGone, async key => store.component.unlock(key, request.lockOwner)).catch(
      rethrowAs([500, 'internal', 'ERR_UNLOCK'], 'failed to release lock: ')
    )
  }

  async #call<T>(
    {name, properties}: AppComponent<'lock'>,
    {resourceId}: LockRequest,
    onGone: OnGone | undefined,
    work: (key: string) => Promise<T>
  ): Promise<T> {
    const {appId, namespace} = this.context
    const prefix = prefixOf(properties.text('keyPrefix'), {appId, namespace, component: name})
    const wrong = [resourceId, prefix].find(text => text.includes(SEPARATOR))
    if (wrong !== undefined) throw new Error(`input key/keyPrefix '${wrong}' can't contain '${SEPARATOR}'`)
    const key = ['lock', ...(prefix === '' ? [] : [prefix]), resourceId].join(SEPARATOR)
    return this.context.outbound({block: 'lock', name, onGone}, async () => work(key))
  }

  /** Finds a lock store. Checks in Dapr's order: first that any store exists, then the fields, then that this store exists. */
  async #store(name: string, {resourceId, lockOwner}: LockRequest): Promise<AppComponent<'lock'>> {
    const fault = resourceId === '' ? 'ResourceId is empty' : lockOwner === '' ? 'LockOwner is empty' : ''
    const store = await this.context.component('lock', name, {
      none: daprError([500, 'failedPrecondition', 'ERR_LOCK_STORE_NOT_CONFIGURED'], 'lock store is not configured'),
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
