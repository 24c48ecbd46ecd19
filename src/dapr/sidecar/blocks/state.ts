import {inParallel} from '../../../platform/in-parallel.ts'
import type {AppComponent} from '../../components/app-components.ts'
import {EtagError, PartlyRefused, type GetOptions, type StateItem} from '../../components/state-store.ts'
import type {StateOperation} from '../../components/state-store.ts'
import type {OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {messageOf} from '../../../model/errors.ts'
import {emptyRecord} from '../../../model/own.ts'
import {BlockError, rethrowAs, daprError, type BlockErrorDetails} from './block-error.ts'
import {outboxOf, type OutboxCalls} from './outbox-calls.ts'
import {AppBlock, type BlockContext} from './block-context.ts'
import {illegalKey, prefixOf, SEPARATOR} from './key-prefix.ts'
import {asDelete, isRefusal, asSet, type StateChange, type StateDelete, type StateSet} from './state-requests.ts'

/** The result for one key of a bulk request. */
export interface BulkItem {
  readonly key: string
  /** The stored item; undefined: there is none, or reading it failed. */
  readonly item: StateItem | undefined
  /** The reason why reading failed; '': it did not. */
  readonly error: string
}

type Store = AppComponent<'state'>

/** Reads and writes the state of one app (Dapr: pkg/api/universal/state.go, pkg/api/http). Keys get the app's prefix. */
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

  /** Rejects with Dapr's error for an unknown store. */
  async check(storeName: string): Promise<void> {
    await this.#store(storeName)
  }

  /** Saves all items. Rejects if some failed; the others are saved. */
  async save(storeName: string, changes: readonly StateSet[], onGone?: OnGone): Promise<void> {
    const store = this.context.components.opened('state', storeName) ?? (await this.#store(storeName))
    const requests = changes.map(change => ({change, key: this.#keyIn(store, change.key)}))
    const errors = await this.#writeEach(store, 'set', onGone, requests, async ({change, key}) =>
      store.component.set(asSet(change, key))
    )
    throwAny(errors, 'ERR_STATE_SAVE', `failed saving state in state store ${storeName}: `)
  }

  async delete(storeName: string, change: StateDelete, onGone?: OnGone): Promise<void> {
    const errors = await this.#deleteEach(storeName, 'delete', [change], onGone)
    throwAny(errors, 'ERR_STATE_DELETE', `failed deleting state with key ${change.key}: `)
  }

  /** Deletes all items. Rejects if some failed; the others are deleted. */
  async bulkDelete(storeName: string, changes: readonly StateDelete[], onGone?: OnGone): Promise<void> {
    const errors = await this.#deleteEach(storeName, 'bulk_delete', changes, onGone)
    throwAny(errors, 'ERR_STATE_BULK_DELETE', `failed deleting state in state store ${storeName}: `)
  }

  /** Reads items, in the order of the keys. `parallelism`: maximum number of reads at once; 0: Dapr's default of ten. */
  async bulkGet(
    storeName: string,
    keys: readonly string[],
    {parallelism, ...options}: GetOptions & {readonly parallelism: number},
    onGone?: OnGone
  ): Promise<readonly BulkItem[]> {
    const store = await this.#store(storeName)
    const storedKeys = keys.map(key => this.#keyIn(store, key))
    if (keys.length === 0) return []
    const getOne = async (key: string, storedKey: string): Promise<BulkItem> =>
      store.component.get(storedKey, options).then(
        item => ({key, item, error: ''}),
        (error: unknown) => ({key, item: undefined, error: messageOf(error)})
      )
    const maxAtOnce = parallelism > 0 ? parallelism : 10
    return this.#call(store, 'bulk_get', onGone, async () =>
      inParallel([...keys.entries()], async ([at, key]) => getOne(key, storedKeys[at] ?? ''), maxAtOnce)
    ).catch(rethrowAs([500, 'internal', 'ERR_STATE_BULK_GET'], ''))
  }

  /** Writes all changes or none, as far as the store can. A store with an outbox also publishes them. */
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
    const storedKeys = new Map(changes.map(change => [change, this.#keyIn(store, change.request.key)]))
    const operationsOf = (some: readonly StateChange[]): readonly StateOperation[] =>
      some.map(each => {
        const {operation, request} = each
        const change = {...request, metadata: {...metadata, ...request.metadata}}
        const key = storedKeys.get(each) ?? ''
        return operation === 'delete'
          ? {kind: 'delete', request: asDelete(change, key)}
          : {kind: 'upsert', request: asSet(change, key)}
      })
    const attempts = new TransactionAttempts()
    const write = async (operations: readonly StateOperation[]): Promise<void> =>
      this.#call(store, 'transaction', onGone, async () =>
        attempts.run(async () => store.component.transact(operations))
      )
    const outbox = outboxOf(store, this.context.appId)
    // holds the store open while events are written to a file, even if an edit replaces it
    const end = this.context.components.beginCall(storeName)
    try {
      if (outbox === undefined) await write(operationsOf(changes))
      else {
        // markers do not expire; stores without `ttlInSeconds` might take -1 for a time in the past
        const markerMetadata = store.properties.has('ttlInSeconds') ? {ttlInSeconds: '-1'} : emptyRecord<string>()
        const {isUnwritten} = attempts
        const steps = {operationsOf, write, isUnwritten, markerMetadata, trace: onGone?.traceparent}
        await this.#outbox.transact(outbox, changes, steps)
      }
    } catch (error) {
      const text = `error while executing state transaction: ${messageOf(error)}`
      throw new BlockError([500, 'internal', 'ERR_STATE_TRANSACTION'], text)
    } finally {
      end()
    }
  }

  /** Rejects, since no built-in store can be queried. */
  async query(storeName: string): Promise<never> {
    const {queryFault} = (await this.#store(storeName)).component
    if (queryFault !== undefined)
      throw new BlockError(
        [500, 'internal', 'ERR_STATE_QUERY'],
        `state store ${storeName} query failed: ${queryFault}`,
        queryDetails('DAPR_STATE_QUERY_FAILED', storeName)
      )
    throw new BlockError(
      [500, 'internal', 'ERR_STATE_STORE_NOT_SUPPORTED'],
      'state store does not support querying',
      queryDetails('DAPR_STATE_QUERYING_NOT_SUPPORTED', storeName)
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
      store.component.delete(asDelete(change, key))
    )
  }

  /** Runs a write for each request. Resolves with the errors. A retry repeats only failed writes (Dapr: PerformBulkStoreOperation). */
  async #writeEach<Request>(
    store: Store,
    operation: string,
    onGone: OnGone | undefined,
    requests: readonly Request[],
    write: (request: Request) => Promise<void>
  ): Promise<readonly unknown[]> {
    const [first] = requests
    if (first === undefined) return []
    // shorter, since most requests have one item, and no policy that would retry it
    if (requests.length === 1 && this.context.policies() === undefined)
      return this.#call(store, operation, onGone, () => write(first)).then(
        () => [],
        (error: unknown) => [error]
      )
    /** The requests that need no further attempt, with the store's refusal; undefined: written. */
    const settled = new Map<Request, unknown>()
    const writeLeft = async (): Promise<void> => {
      const left = requests.filter(request => !settled.has(request))
      const failures: unknown[] = []
      let hasRefusals = false
      for (const [at, result] of (await Promise.allSettled(left.map(write))).entries()) {
        const reason = result.status === 'rejected' ? (result.reason as unknown) : undefined
        if (reason !== undefined && !isRefusal(reason)) failures.push(reason)
        else settled.set(left[at] as Request, reason)
        hasRefusals ||= isRefusal(reason)
      }
      if (hasRefusals || failures.length > 0) throw new SeveralFailed(failures)
    }
    let errors: readonly unknown[] = []
    try {
      await this.#call(store, operation, onGone, writeLeft, error => errorsOf(error).length === 0)
    } catch (error) {
      errors = errorsOf(error)
    }
    return [...[...settled.values()].filter(reason => reason !== undefined), ...errors]
  }

  /** Returns the key under which a store has a key of the app: with its prefix. Throws Dapr's error for an invalid key. */
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
      none: daprError(
        [500, 'failedPrecondition', 'ERR_STATE_STORE_NOT_CONFIGURED'],
        `state store ${name} is not configured`,
        {reason: 'DAPR_STATE_NOT_CONFIGURED', metadata}
      ),
      unknown: daprError([400, 'invalidArgument', 'ERR_STATE_STORE_NOT_FOUND'], `state store ${name} is not found`, {
        reason: 'DAPR_STATE_NOT_FOUND',
        metadata
      })
    })
  }
}

const queryDetails = (reason: string, store: string): BlockErrorDetails => ({
  reason,
  metadata: null,
  resource: {type: 'state', name: store, description: ''}
})

/** The error of several writes. `reasons`: the errors of failed ones, without refusals. */
class SeveralFailed extends Error {
  readonly reasons: readonly unknown[]

  constructor(reasons: readonly unknown[]) {
    super('several writes have failed')
    this.name = 'SeveralFailed'
    this.reasons = reasons
  }
}

const errorsOf = (error: unknown): readonly unknown[] => (error instanceof SeveralFailed ? error.reasons : [error])

/** Throws Dapr's error if there are errors. A wrong etag has a status of its own. */
function throwAny(errors: readonly unknown[], code: string, words: string): void {
  if (errors.length === 0) return
  const message = words + errors.map(messageOf).join('\n')
  const etag = errors.find(error => error instanceof EtagError)
  if (etag?.kind === 'mismatch') throw new BlockError([409, 'aborted', code], message)
  if (etag?.kind === 'invalid') throw new BlockError([400, 'invalidArgument', code], message)
  throw new BlockError([500, 'internal', code], message)
}

/** The attempts of one transaction. After one with an unknown result, such as a timeout, a later refusal does not prove that nothing was written. */
class TransactionAttempts {
  /** Number of attempts with an unknown result. */
  #unclear = 0
  /** Indexes of the operations that each attempt refused; undefined: no attempt was refused in part. */
  #refused: ReadonlySet<number> | undefined

  async run(attempt: () => Promise<void>): Promise<void> {
    this.#unclear++
    try {
      await attempt()
    } catch (error) {
      if (isRefusal(error) || error instanceof PartlyRefused) this.#unclear--
      if (!(error instanceof PartlyRefused)) throw error
      const before = this.#refused ?? error.refused
      this.#refused = new Set([...error.refused].filter(at => before.has(at)))
      throw this.#unclear > 0 ? new Error(error.message) : new PartlyRefused(error.message, this.#refused)
    }
  }

  /** Whether no attempt has written anything, by the error of the last one. */
  readonly isUnwritten = (error: unknown): boolean => this.#unclear === 0 && isRefusal(error)
}
