import type {AppComponent} from '../../components/app-components.ts'
import {
  EtagError,
  type GetOptions,
  type SetRequest,
  type StateItem,
  type StateOptions
} from '../../components/state-store.ts'
import type {DeleteRequest, StateOperation} from '../../components/state-store.ts'
import {messageOf} from '../../model/errors.ts'
import {BlockError, type BlockErrorDetails} from './block-error.ts'
import type {BlockContext} from './block-context.ts'
import {illegalKey, prefixOf, SEPARATOR} from './key-prefix.ts'

/** A request as a caller makes it, with the words that it wrote. */
export interface DeleteWish {
  readonly key: string
  readonly etag: string
  readonly metadata: Readonly<Record<string, string>>
  readonly concurrency: string
  readonly consistency: string
}

export interface SetWish extends DeleteWish {
  readonly value: Buffer
  /** It came as JSON. */
  readonly isJson: boolean
}

export interface OperationWish {
  /** `upsert` or `delete`. */
  readonly operation: string
  readonly request: SetWish
}

/** One answer of several. */
export interface BulkItem {
  readonly key: string
  /** Undefined: there is none. */
  readonly item: StateItem | undefined
  /** '' = none. */
  readonly error: string
}

type Store = AppComponent<'state'>

const CONCURRENCY = ['', 'first-write', 'last-write']
const CONSISTENCY = ['', 'eventual', 'strong']

/** The state of one app (Dapr: pkg/api/universal/state.go, pkg/api/http). */
export class State {
  readonly #context: BlockContext

  constructor(context: BlockContext) {
    this.#context = context
  }

  async get(storeName: string, key: string, options: GetOptions): Promise<StateItem | undefined> {
    const store = await this.#store(storeName)
    const stored = this.#keyIn(store, key)
    try {
      return await store.component.get(stored, options)
    } catch (error) {
      const text = `fail to get ${key} from state store ${storeName}: ${messageOf(error)}`
      throw new BlockError([500, 'internal', 'ERR_STATE_GET'], text)
    }
  }

  /** Of several that fail the others are saved all the same. */
  async save(storeName: string, wishes: readonly SetWish[]): Promise<void> {
    const store = await this.#store(storeName)
    const requests = wishes.map(wish => ({wish, key: this.#keyIn(store, wish.key)}))
    const results = await Promise.allSettled(
      requests.map(async ({wish, key}) => store.component.set(setRequest(wish, key)))
    )
    const errors = reasonsOf(results)
    if (errors.length > 0)
      throw failure(errors, 'ERR_STATE_SAVE', why => `failed saving state in state store ${storeName}: ${why}`)
  }

  async delete(storeName: string, wishes: readonly DeleteWish[]): Promise<void> {
    const store = await this.#store(storeName)
    const requests = wishes.map(wish => ({wish, key: this.#keyIn(store, wish.key)}))
    const results = await Promise.allSettled(
      requests.map(async ({wish, key}) => store.component.delete(checked(wish, key)))
    )
    const errors = reasonsOf(results)
    const keys = wishes.map(({key}) => key).join(', ')
    if (errors.length > 0)
      throw failure(errors, 'ERR_STATE_DELETE', why => `failed deleting state with key ${keys}: ${why}`)
  }

  /** In the order asked; a key that fails has its error. `parallelism`: how many at once, 0: Dapr's ten. */
  async bulkGet(
    storeName: string,
    keys: readonly string[],
    {parallelism, ...options}: GetOptions & {readonly parallelism: number}
  ): Promise<readonly BulkItem[]> {
    const store = await this.#store(storeName)
    const stored = keys.map(key => this.#keyIn(store, key))
    const items: BulkItem[] = []
    let next = 0
    const work = async (): Promise<void> => {
      for (let at = next++; at < keys.length; at = next++) {
        const key = keys[at] ?? ''
        try {
          items[at] = {key, item: await store.component.get(stored[at] ?? '', options), error: ''}
        } catch (error) {
          items[at] = {key, item: undefined, error: messageOf(error)}
        }
      }
    }
    await Promise.all(Array.from({length: Math.min(keys.length, parallelism > 0 ? parallelism : 10)}, work))
    return items
  }

  async transact(
    storeName: string,
    wishes: readonly OperationWish[],
    metadata: Readonly<Record<string, string>>
  ): Promise<void> {
    const store = await this.#store(storeName)
    const wrong = wishes.find(({operation}) => operation !== 'upsert' && operation !== 'delete')
    if (wrong !== undefined)
      throw new BlockError(
        [400, 'unimplemented', 'ERR_NOT_SUPPORTED_STATE_OPERATION'],
        `operation type ${wrong.operation} not supported`
      )
    if (wishes.length === 0) return
    const keys = wishes.map(({request}) => this.#keyIn(store, request.key))
    try {
      const operations = wishes.map(({operation, request}, at): StateOperation => {
        const wish = {...request, metadata: {...metadata, ...request.metadata}}
        return operation === 'delete'
          ? {kind: 'delete', request: checked(wish, keys[at] ?? '')}
          : {kind: 'upsert', request: setRequest(wish, keys[at] ?? '')}
      })
      await store.component.transact(operations)
    } catch (error) {
      const text = `error while executing state transaction: ${messageOf(error)}`
      throw new BlockError([500, 'internal', 'ERR_STATE_TRANSACTION'], text)
    }
  }

  /** No store here can be queried. */
  async query(storeName: string): Promise<never> {
    await this.#store(storeName)
    throw new BlockError(
      [500, 'internal', 'ERR_STATE_STORE_NOT_SUPPORTED'],
      'state store does not support querying',
      detailsOf('DAPR_STATE_QUERYING_NOT_SUPPORTED', storeName)
    )
  }

  #keyIn({name, properties}: Store, key: string): string {
    if (key === '') throw new BlockError([400, 'invalidArgument', 'ERR_MALFORMED_REQUEST'], 'state key cannot be empty')
    const {appId, namespace} = this.#context
    const prefix = prefixOf(properties.text('keyPrefix'), {appId, namespace, component: name})
    const wrong = [key, prefix].find(text => text.includes(SEPARATOR))
    if (wrong !== undefined) throw illegalKey(wrong, name)
    return prefix === '' ? key : prefix + SEPARATOR + key
  }

  async #store(name: string): Promise<Store> {
    const metadata = {appID: this.#context.appId}
    return this.#context.component('state', name, {
      none: why =>
        new BlockError(
          [500, 'failedPrecondition', 'ERR_STATE_STORE_NOT_CONFIGURED'],
          `state store ${name} is not configured${why}`,
          {reason: 'DAPR_STATE_NOT_CONFIGURED', metadata}
        ),
      unknown: why =>
        new BlockError(
          [400, 'invalidArgument', 'ERR_STATE_STORE_NOT_FOUND'],
          `state store ${name} is not found${why}`,
          {reason: 'DAPR_STATE_NOT_FOUND', metadata}
        )
    })
  }
}

const detailsOf = (reason: string, store: string): BlockErrorDetails => ({
  reason,
  metadata: null,
  resource: {type: 'state', name: store, description: ''}
})

/** Throws for words that are none (components-contrib: state.CheckRequestOptions). */
function checked({etag, metadata, concurrency, consistency}: DeleteWish, key: string): DeleteRequest {
  if (!CONCURRENCY.includes(concurrency)) throw new Error(`unrecognized concurrency model '${concurrency}'`)
  if (!CONSISTENCY.includes(consistency)) throw new Error(`unrecognized consistency model '${consistency}'`)
  return {key, etag, metadata, options: {concurrency, consistency} as StateOptions}
}

const setRequest = (wish: SetWish, key: string): SetRequest => ({
  ...checked(wish, key),
  value: wish.value,
  isJson: wish.isJson
})

const reasonsOf = (results: readonly PromiseSettledResult<void>[]): readonly unknown[] =>
  results.flatMap(result => (result.status === 'rejected' ? [result.reason as unknown] : []))

/** Dapr's error for requests that failed; a wrong etag has a status of its own. */
function failure(errors: readonly unknown[], code: string, text: (why: string) => string): BlockError {
  const message = text(errors.map(messageOf).join('\n'))
  const etag = errors.find(error => error instanceof EtagError)
  if (etag?.kind === 'mismatch') return new BlockError([409, 'aborted', code], message)
  if (etag?.kind === 'invalid') return new BlockError([400, 'invalidArgument', code], message)
  return new BlockError([500, 'internal', code], message)
}
