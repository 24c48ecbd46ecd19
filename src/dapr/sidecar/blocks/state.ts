import {inParallel} from '../../../platform/in-parallel.ts'
import type {AppComponent} from '../../components/app-components.ts'
import {PartlyRefused, type GetOptions, type StateItem, type StateOperation} from '../../components/state-store.ts'
import type {OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {messageOf} from '../../../model/errors.ts'
import {emptyRecord} from '../../../model/own.ts'
import {BlockError, failing, toldWhy, type BlockErrorDetails} from './block-error.ts'
import {outboxOf, type OutboxCalls} from './outbox-calls.ts'
import {AppBlock, type BlockContext} from './block-context.ts'
import {illegalKey, prefixOf, SEPARATOR} from './key-prefix.ts'
import {
  deleteRequest,
  isRefusal,
  storeOperation,
  setRequest,
  writeFailure,
  type StateChange,
  type StateDelete,
  type StateSet
} from './state-requests.ts'

/** An answer of a bulk request. */
export interface BulkItem {
  readonly key: string
  /** Item of the key, if there is one. */
  readonly item: StateItem | undefined
  /** Text of the error; empty if there is none. */
  readonly error: string
}

type Store = AppComponent<'state'>

/** The state of one app (Dapr: pkg/api/universal/state.go, pkg/api/http). */
export class State extends AppBlock {
  readonly #outbox: OutboxCalls

  constructor(context: BlockContext, outbox: OutboxCalls) {
    super(context)
    this.#outbox = outbox
  }

  async get(storeName: string, key: string, options: GetOptions, onGone?: OnGone): Promise<StateItem | undefined> {
    const store = this.context.components.opened('state', storeName) ?? (await this.#store(storeName))
    const stored = this.#keyIn(store, key)
    try {
      return await this.#call(store, 'get', onGone, () => store.component.get(stored, options))
    } catch (error) {
      const text = `fail to get ${key} from state store ${storeName}: ${messageOf(error)}`
      throw new BlockError([500, 'internal', 'ERR_STATE_GET'], text)
    }
  }

  /** Throws for an unknown store. */
  async check(storeName: string): Promise<void> {
    await this.#store(storeName)
  }

  /** Saves all items, even if some of them fail; then throws. */
  async save(storeName: string, changes: readonly StateSet[], onGone?: OnGone): Promise<void> {
    const store = this.context.components.opened('state', storeName) ?? (await this.#store(storeName))
    const requests = changes.map(change => ({change, key: this.#keyIn(store, change.key)}))
    const errors = await this.#writeEach(store, 'set', onGone, requests, async ({change, key}) =>
      store.component.set(setRequest(change, key))
    )
    if (errors.length > 0)
      throw writeFailure(errors, 'ERR_STATE_SAVE', why => `failed saving state in state store ${storeName}: ${why}`)
  }

  async delete(storeName: string, change: StateDelete, onGone?: OnGone): Promise<void> {
    const errors = await this.#deleteEach(storeName, 'delete', [change], onGone)
    if (errors.length > 0)
      throw writeFailure(errors, 'ERR_STATE_DELETE', why => `failed deleting state with key ${change.key}: ${why}`)
  }

  /** Deletes all items, even if some of them fail; then throws. */
  async bulkDelete(storeName: string, changes: readonly StateDelete[], onGone?: OnGone): Promise<void> {
    const errors = await this.#deleteEach(storeName, 'bulk_delete', changes, onGone)
    if (errors.length > 0)
      throw writeFailure(
        errors,
        'ERR_STATE_BULK_DELETE',
        why => `failed deleting state in state store ${storeName}: ${why}`
      )
  }

  /** Reads items in the order of the request. A key that fails gets its error. `parallelism`: maximum reads at once; 0: Dapr's ten. */
  async bulkGet(
    storeName: string,
    keys: readonly string[],
    {parallelism, ...options}: GetOptions & {readonly parallelism: number},
    onGone?: OnGone
  ): Promise<readonly BulkItem[]> {
    const store = await this.#store(storeName)
    const stored = keys.map(key => this.#keyIn(store, key))
    if (keys.length === 0) return []
    const getOne = async (key: string, storedKey: string): Promise<BulkItem> =>
      store.component.get(storedKey, options).then(
        item => ({key, item, error: ''}),
        (error: unknown) => ({key, item: undefined, error: messageOf(error)})
      )
    const most = parallelism > 0 ? parallelism : 10
    return this.#call(store, 'bulk_get', onGone, async () =>
      inParallel([...keys.entries()], async ([at, key]) => getOne(key, stored[at] ?? ''), most)
    ).catch(failing([500, 'internal', 'ERR_STATE_BULK_GET'], ''))
  }

  /** Writes all changes or none, as far as the store can, and publishes their events if the store has an outbox. */
  async transact(
    storeName: string,
    changes: readonly StateChange[],
    metadata: Readonly<Record<string, string>>,
    onGone?: OnGone
  ): Promise<void> {
    const store = await this.#store(storeName)
    const wrong = changes.find(({operation}) => operation !== 'upsert' && operation !== 'delete')
    if (wrong !== undefined)
      throw new BlockError(
        [400, 'unimplemented', 'ERR_NOT_SUPPORTED_STATE_OPERATION'],
        `operation type ${wrong.operation} not supported`
      )
    if (changes.length === 0) return
    const keys = new Map(changes.map(change => [change, this.#keyIn(store, change.request.key)]))
    const operationsOf = (some: readonly StateChange[]): readonly StateOperation[] =>
      some.map(each => storeOperation(each, keys.get(each) ?? '', metadata))
    const attempts = new TransactionAttempts()
    const write = async (operations: readonly StateOperation[]): Promise<void> =>
      this.#call(
        store,
        'transaction',
        onGone,
        async () => attempts.run(async () => store.component.transact(operations)),
        error => isRefusal(error) || error instanceof PartlyRefused
      )
    const target = outboxOf(store, this.context.appId)
    // keeps the store open while events are written to a file, even if an edit replaces it
    const end = this.context.components.beginCall(storeName)
    try {
      if (target === undefined) await write(operationsOf(changes))
      else
        await this.#outbox.transact(target, changes, {
          operationsOf,
          write,
          isRefusal: error => attempts.areKnown && isRefusal(error),
          // only stores that expire items know `ttlInSeconds`; others might store a time in the past
          metadata: store.properties.has('ttlInSeconds') ? {ttlInSeconds: '-1'} : emptyRecord<string>(),
          trace: onGone?.traceparent
        })
    } catch (error) {
      const text = `error while executing state transaction: ${messageOf(error)}`
      throw new BlockError([500, 'internal', 'ERR_STATE_TRANSACTION'], text)
    } finally {
      end()
    }
  }

  /** No store here can be queried. */
  async query(storeName: string): Promise<never> {
    const {
      component: {queryFault}
    } = await this.#store(storeName)
    if (queryFault !== undefined)
      throw new BlockError(
        [500, 'internal', 'ERR_STATE_QUERY'],
        `state store ${storeName} query failed: ${queryFault}`,
        detailsOf('DAPR_STATE_QUERY_FAILED', storeName)
      )
    throw new BlockError(
      [500, 'internal', 'ERR_STATE_STORE_NOT_SUPPORTED'],
      'state store does not support querying',
      detailsOf('DAPR_STATE_QUERYING_NOT_SUPPORTED', storeName)
    )
  }

  async #call<T>(
    {name}: Store,
    operation: string,
    onGone: OnGone | undefined,
    work: () => Promise<T>,
    isFinal: (error: unknown) => boolean = isRefusal
  ): Promise<T> {
    return this.context.outbound({block: 'state', name, operation, isFinal, onGone}, work)
  }

  async #deleteEach(
    storeName: string,
    operation: string,
    changes: readonly StateDelete[],
    onGone: OnGone | undefined
  ): Promise<readonly unknown[]> {
    const store = await this.#store(storeName)
    const requests = changes.map(change => ({change, key: this.#keyIn(store, change.key)}))
    return this.#writeEach(store, operation, onGone, requests, async ({change, key}) =>
      store.component.delete(deleteRequest(change, key))
    )
  }

  /** Writes all requests, and returns the errors of failed ones. Done and refused writes are not tried again (Dapr: PerformBulkStoreOperation). */
  async #writeEach<Request>(
    store: Store,
    operation: string,
    onGone: OnGone | undefined,
    requests: readonly Request[],
    write: (request: Request) => Promise<void>
  ): Promise<readonly unknown[]> {
    const [first] = requests
    if (first === undefined) return []
    // most requests have one item, and no policy that would try it again
    const isSimple = requests.length === 1 && this.context.policies() === undefined
    const refusals: unknown[] = []
    const [attempt, isFinal] = isSimple
      ? [() => write(first), isRefusal]
      : [
          attemptAt(requests, write, refusals),
          (error: unknown) => error instanceof SomeFailed && error.open.length === 0
        ]
    try {
      await this.#call(store, operation, onGone, attempt, isFinal)
      return []
    } catch (error) {
      return [...refusals, ...(error instanceof SomeFailed ? error.open : [error])]
    }
  }

  #keyIn({name, properties}: Store, key: string): string {
    if (key === '') throw new BlockError([400, 'invalidArgument', 'ERR_MALFORMED_REQUEST'], 'state key cannot be empty')
    const {appId, namespace} = this.context
    const prefix = prefixOf(properties.text('keyPrefix'), {appId, namespace, component: name})
    const wrong = [key, prefix].find(text => text.includes(SEPARATOR))
    if (wrong !== undefined) throw illegalKey(wrong, name)
    return prefix === '' ? key : prefix + SEPARATOR + key
  }

  async #store(name: string): Promise<Store> {
    const metadata = {appID: this.context.appId}
    return this.context.component('state', name, {
      none: toldWhy(
        [500, 'failedPrecondition', 'ERR_STATE_STORE_NOT_CONFIGURED'],
        `state store ${name} is not configured`,
        {reason: 'DAPR_STATE_NOT_CONFIGURED', metadata}
      ),
      unknown: toldWhy([400, 'invalidArgument', 'ERR_STATE_STORE_NOT_FOUND'], `state store ${name} is not found`, {
        reason: 'DAPR_STATE_NOT_FOUND',
        metadata
      })
    })
  }
}

const detailsOf = (reason: string, store: string): BlockErrorDetails => ({
  reason,
  metadata: null,
  resource: {type: 'state', name: store, description: ''}
})

/** Returns an attempt at writes, which can be repeated until each is done or refused. Throws SomeFailed unless all are done. */
function attemptAt<Request>(
  requests: readonly Request[],
  write: (request: Request) => Promise<void>,
  refusals: unknown[]
): () => Promise<void> {
  const left = new Set(requests)
  return async () => {
    const tried = [...left]
    const open: unknown[] = []
    for (const [at, result] of (await Promise.allSettled(tried.map(write))).entries()) {
      const reason: unknown = result.status === 'rejected' ? result.reason : undefined
      if (reason !== undefined && !isRefusal(reason)) open.push(reason)
      else if (left.delete(tried[at] as Request) && reason !== undefined) refusals.push(reason)
    }
    if (open.length + refusals.length > 0) throw new SomeFailed(open)
  }
}

/** Some writes have failed. `open`: the errors of those that may be tried again. */
class SomeFailed extends Error {
  readonly open: readonly unknown[]

  constructor(open: readonly unknown[]) {
    super('several writes have failed')
    this.name = 'SomeFailed'
    this.open = open
  }
}

/** Attempts to write one transaction. */
class TransactionAttempts {
  #unknown = 0

  /** Whether the store has answered each attempt. An attempt without an answer may have been committed. */
  get areKnown(): boolean {
    return this.#unknown === 0
  }

  async run(transact: () => Promise<void>): Promise<void> {
    this.#unknown++
    try {
      await transact()
    } catch (error) {
      const isPart = error instanceof PartlyRefused
      if (isPart || isRefusal(error)) this.#unknown--
      // an earlier attempt may have written the refused items
      throw isPart && this.#unknown > 0 ? new Error(error.message) : error
    }
  }
}
