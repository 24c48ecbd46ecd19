import {messageOf} from '../../../model/errors.ts'
import type {AppComponent} from '../../components/app-components.ts'
import type {StateItem, StateOperation} from '../../components/state-store.ts'
import type {OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {checkReserved, checkActor} from './actor-calls.ts'
import {AppBlock} from './block-context.ts'
import {BlockError, rethrowAs, daprError} from './block-error.ts'
import {SEPARATOR} from './key-prefix.ts'

/** An operation of a transaction, as the caller wrote it. */
export interface ActorOperation {
  readonly operation: string
  readonly key: string
  readonly value: Buffer
  readonly isJson: boolean
  readonly etag: string
  readonly metadata: Readonly<Record<string, string>>
}

const NO_OPTIONS = {concurrency: '', consistency: ''} as const

/** The state of actors, in the store with `actorStateStore: "true"` (Dapr: pkg/actors/state). */
export class ActorState extends AppBlock {
  /** Returns a value of an actor, which need not be active or hosted by this app. */
  async get(type: string, id: string, key: string, onGone: OnGone): Promise<StateItem | undefined> {
    checkReserved(type)
    checkActor(type, id)
    const store = await this.#store()
    return this.#call(store, 'get', onGone, async () =>
      store.component.get(this.#keyOf(type, id, key), {consistency: '', metadata: {}})
    ).catch(rethrowAs([500, 'internal', 'ERR_ACTOR_STATE_GET'], 'error getting actor state: '))
  }

  /** Lists the state of an actor for the run's API. Rejects with the reason. */
  async list(type: string, id: string, limit: number): Promise<readonly (readonly [key: string, data: Buffer])[]> {
    const store = await this.#store()
    const prefix = this.#keyOf(type, id, '')
    const keys = await store.component.keys?.(prefix, limit)
    if (keys === undefined) throw new Error(`the state store ${store.name} cannot list its keys`)
    const items = await Promise.all(
      keys.toSorted().map(async key => {
        const item = await store.component.get(key, {consistency: '', metadata: {}})
        return item === undefined ? [] : [[key.slice(prefix.length), item.data] as const]
      })
    )
    return items.flat()
  }

  /** Applies all changes or none. The actor must be active at this instance of the app. */
  async transact(type: string, id: string, changes: readonly ActorOperation[], onGone: OnGone): Promise<void> {
    checkReserved(type)
    checkActor(type, id)
    const {actors, instance} = this.context
    if (!(await actors.load()).table.isActiveAt(instance, type, id))
      throw new BlockError([400, 'internal', 'ERR_ACTOR_INSTANCE_MISSING'], 'actor instance is missing')
    const store = await this.#store()
    const operations = changes.map((change): StateOperation => {
      const {operation, key, value, isJson, etag, metadata} = change
      const request = {key: this.#keyOf(type, id, key), etag, metadata, options: NO_OPTIONS}
      return operation === 'delete' ? {kind: 'delete', request} : {kind: 'upsert', request: {...request, value, isJson}}
    })
    if (operations.length === 0) return
    const code = [500, 'internal', 'ERR_ACTOR_STATE_TRANSACTION_SAVE'] as const
    await this.#call(store, 'transaction', onGone, async () => store.component.transact(operations)).catch(
      rethrowAs(code, 'error saving actor transaction state: ')
    )
  }

  #keyOf(type: string, id: string, key: string): string {
    return [this.context.appId, type, id, key].join(SEPARATOR)
  }

  async #call<T>({name}: AppComponent<'state'>, operation: string, onGone: OnGone, work: () => Promise<T>): Promise<T> {
    return this.context.outbound({block: 'state', name, operation, onGone}, work)
  }

  async #store(): Promise<AppComponent<'state'>> {
    const store = await this.context.components.actorStore()?.catch((error: unknown) => {
      throw none(` (${messageOf(error)})`)
    })
    return store ?? Promise.reject(none(''))
  }
}

const none = daprError(
  [500, 'internal', 'ERR_ACTOR_RUNTIME_NOT_FOUND'],
  'the state store is not configured to use the actor runtime. Have you set the - name: actorStateStore value: "true" in your state store component file?'
)
