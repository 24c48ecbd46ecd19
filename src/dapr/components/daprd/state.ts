import {decode, encode} from '../../../proxy/net/grpc/message-codec.ts'
import {
  CONCURRENCY,
  CONSISTENCY,
  EtagError,
  type DeleteRequest,
  type SetRequest,
  type StateItem,
  type StateOptions,
  type StateStore
} from '../state-store.ts'
import {causeOf, closeInDaprd, DaprdError, type OpenedByDaprd} from './daprd-access.ts'
import {
  DeleteStateRequest,
  ExecuteStateTransactionRequest,
  GetStateRequest,
  GetStateResponse,
  SaveStateRequest
} from '../../../model/dapr/messages/state.generated.ts'

const INVALID_ARGUMENT = 3
const ABORTED = 10

/** Daprd puts the prefix in front of a key itself, by the same `keyPrefix`. */
const ownKey = (key: string): string => key.slice(key.indexOf('||') < 0 ? 0 : key.indexOf('||') + 2)

const optionsOf = ({concurrency, consistency}: StateOptions): {concurrency: number; consistency: number} => ({
  concurrency: CONCURRENCY.indexOf(concurrency),
  consistency: CONSISTENCY.indexOf(consistency)
})

const itemOf = ({key, etag, metadata, options}: DeleteRequest, value: Uint8Array) => ({
  key: ownKey(key),
  value,
  etag: etag === '' ? undefined : {value: etag},
  metadata,
  options: optionsOf(options)
})

const NOTHING = new Uint8Array(0)

/** An etag that does not fit has its code. */
function failureOf(error: unknown): Error {
  const why = causeOf(error)
  if (!(error instanceof DaprdError)) return new Error(why)
  const bare = why.replace(/^(?:possible etag mismatch\. error from state store|invalid etag value)(?:: )?/, '')
  if (error.code === ABORTED) return new EtagError('mismatch', bare)
  return error.code === INVALID_ARGUMENT && bare !== why ? new EtagError('invalid', bare) : new Error(why)
}

/** A state store of daprd. */
export class DaprdStateStore implements StateStore {
  readonly capabilities: readonly string[]
  readonly close = closeInDaprd
  readonly #storeName: string
  readonly #options: OpenedByDaprd

  constructor(options: OpenedByDaprd) {
    this.capabilities = options.capabilities
    this.#storeName = options.resource.name
    this.#options = options
  }

  async get(
    key: string,
    {consistency, metadata}: {readonly consistency: string; readonly metadata: Readonly<Record<string, string>>}
  ): Promise<StateItem | undefined> {
    const request = {
      storeName: this.#storeName,
      key: ownKey(key),
      consistency: Math.max(
        0,
        CONSISTENCY.findIndex(word => word === consistency)
      ),
      metadata
    }
    const answer = await this.#call('GetState', encode(GetStateRequest, request))
    const {data, ...rest} = decode(GetStateResponse, answer)
    // a missing value and an empty one look alike; the latter has an etag
    if (data.length === 0 && rest.etag === '') return undefined
    return {data: Buffer.from(data), ...rest}
  }

  async set(request: SetRequest): Promise<void> {
    const {value} = request
    await this.#call(
      'SaveState',
      encode(SaveStateRequest, {storeName: this.#storeName, states: [itemOf(request, value)]})
    )
  }

  async delete(request: DeleteRequest): Promise<void> {
    await this.#call(
      'DeleteState',
      encode(DeleteStateRequest, {storeName: this.#storeName, ...itemOf(request, NOTHING)})
    )
  }

  async transact(operations: Parameters<StateStore['transact']>[0]): Promise<void> {
    const steps = operations.map(({kind, request}) => ({
      operationType: kind,
      request: itemOf(request, kind === 'upsert' ? request.value : NOTHING)
    }))
    await this.#call(
      'ExecuteStateTransaction',
      encode(ExecuteStateTransactionRequest, {storeName: this.#storeName, operations: steps})
    )
  }

  async #call(method: string, message: Uint8Array): Promise<Uint8Array> {
    try {
      return await this.#options.access.call(method, message)
    } catch (error) {
      throw failureOf(error)
    }
  }
}
