import {inParallel} from '../../../platform/in-parallel.ts'
import type {AppComponent} from '../../components/app-components.ts'
import {
  CONCURRENCY,
  CONSISTENCY,
  EtagError,
  PartlyRefused,
  type GetOptions,
  type SetRequest,
  type StateItem
} from '../../components/state-store.ts'
import type {DeleteRequest, StateOperation} from '../../components/state-store.ts'
import type {OnGone} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import {messageOf} from '../../../model/errors.ts'
import {emptyRecord} from '../../../model/own.ts'
import {BlockError, rethrowAs, daprError, type BlockErrorDetails} from './block-error.ts'
import {outboxOf, type OutboxCalls} from './outbox-calls.ts'
import {AppBlock, type BlockContext} from './block-context.ts'
import {illegalKey, prefixOf, SEPARATOR} from './key-prefix.ts'
import type {StateChange, StateDelete, StateSet} from './state-requests.ts'

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
      throw failure(errors, 'ERR_STATE_SAVE', why => `failed saving state in state store ${storeName}: ${why}`)
  }

  async delete(storeName: string, change: StateDelete, onGone?: OnGone): Promise<void> {
    const errors = await this.#deleteEach(storeName, 'delete', [change], onGone)
    if (errors.length > 0)
      throw failure(errors, 'ERR_STATE_DELETE', why => `failed deleting state with key ${change.key}: ${why}`)
  }

  /** Deletes all items, even if some of them fail; then throws. */
  async bulkDelete(storeName: string, changes: readonly StateDelete[], onGone?: OnGone): Promise<void> {
    const errors = await this.#deleteEach(storeName, 'bulk_delete', changes, onGone)
    if (errors.length > 0)
      throw failure(errors, 'ERR_STATE_BULK_DELETE', why => `failed deleting state in state store ${storeName}: ${why}`)
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
    ).catch(rethrowAs([500, 'internal', 'ERR_STATE_BULK_GET'], ''))
  }

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
      some.map(each => {
        const {operation, request} = each
        const change = {...request, metadata: {...metadata, ...request.metadata}}
        const key = keys.get(each) ?? ''
        return operation === 'delete'
          ? {kind: 'delete', request: checked(change, key)}
          : {kind: 'upsert', request: setRequest(change, key)}
      })
    /** Attempts with an unknown result. */
    let unclear = 0
    let refused: ReadonlySet<number> | undefined
    const write = async (operations: readonly StateOperation[]): Promise<void> =>
      this.#call(store, 'transaction', onGone, async () => {
        unclear++
        try {
          await store.component.transact(operations)
        } catch (error) {
          if (isRefusal(error)) unclear--
          if (!(error instanceof PartlyRefused)) throw error
          unclear--
          const before = refused ?? error.refused
          refused = new Set([...error.refused].filter(at => before.has(at)))
          throw unclear > 0 ? new Error(error.message) : new PartlyRefused(error.message, refused)
        }
      })
    // an earlier attempt may have written the item, so that the next attempt is refused
    const isUnwritten = (error: unknown): boolean => unclear === 0 && isRefusal(error)
    const target = outboxOf(store, this.context.appId)
    // only stores that expire items know `ttlInSeconds`; others might store a time in the past
    const kept = store.properties.has('ttlInSeconds') ? {ttlInSeconds: '-1'} : emptyRecord<string>()
    // keeps the store open while events are written to a file, even if an edit replaces it
    const end = this.context.components.beginCall(storeName)
    try {
      if (target === undefined) await write(operationsOf(changes))
      else {
        const steps = {operationsOf, write, isRefusal: isUnwritten, metadata: kept, trace: onGone?.traceparent}
        await this.#outbox.transact(target, changes, steps)
      }
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
      store.component.delete(checked(change, key))
    )
  }

  /** Returns the errors of failed writes. Done and refused writes are not tried again (Dapr: PerformBulkStoreOperation). */
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
    if (requests.length === 1 && this.context.policies() === undefined)
      return this.#call(store, operation, onGone, () => write(first)).then(
        () => [],
        (error: unknown) => [error]
      )
    /** Requests that need no further attempt: undefined if written, else why it was refused. */
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

const detailsOf = (reason: string, store: string): BlockErrorDetails => ({
  reason,
  metadata: null,
  resource: {type: 'state', name: store, description: ''}
})

/** A request with a value that no store accepts. */
class RequestFault extends Error {}

const isOf = <T extends string>(words: readonly T[], word: string): word is T =>
  (words as readonly string[]).includes(word)

/** Throws for unknown values (components-contrib: state.CheckRequestOptions). */
function checked({etag, metadata, concurrency, consistency}: StateDelete, key: string): DeleteRequest {
  if (!isOf(CONCURRENCY, concurrency)) throw new RequestFault(`unrecognized concurrency model '${concurrency}'`)
  if (!isOf(CONSISTENCY, consistency)) throw new RequestFault(`unrecognized consistency model '${consistency}'`)
  return {key, etag, metadata, options: {concurrency, consistency}}
}

const setRequest = (change: StateSet, key: string): SetRequest => ({
  ...checked(change, key),
  value: change.value,
  isJson: change.isJson
})

/** Writes that failed together, without refused ones. */
class SeveralFailed extends Error {
  readonly reasons: readonly unknown[]

  constructor(reasons: readonly unknown[]) {
    super('several writes have failed')
    this.name = 'SeveralFailed'
    this.reasons = reasons
  }
}

const errorsOf = (error: unknown): readonly unknown[] => (error instanceof SeveralFailed ? error.reasons : [error])

/** Whether the store has refused a write: repeating it cannot help. */
const isRefusal = (error: unknown): boolean => error instanceof EtagError || error instanceof RequestFault

/** Dapr's error for requests that failed; a wrong etag has a status of its own. */
function failure(errors: readonly unknown[], code: string, text: (why: string) => string): BlockError {
  const message = text(errors.map(messageOf).join('\n'))
  const etag = errors.find(error => error instanceof EtagError)
  if (etag?.kind === 'mismatch') return new BlockError([409, 'aborted', code], message)
  if (etag?.kind === 'invalid') return new BlockError([400, 'invalidArgument', code], message)
  return new BlockError([500, 'internal', code], message)
}
