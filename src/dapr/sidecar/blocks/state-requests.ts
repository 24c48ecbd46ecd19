import {messageOf} from '../../../model/errors.ts'
import {
  CONCURRENCY,
  CONSISTENCY,
  EtagError,
  type DeleteRequest,
  type SetRequest,
  type StateOperation
} from '../../components/state-store.ts'
import {BlockError} from './block-error.ts'

/** A request as a caller makes it, with the words that it wrote. */
export interface StateDelete {
  readonly key: string
  readonly etag: string
  readonly metadata: Readonly<Record<string, string>>
  readonly concurrency: string
  readonly consistency: string
}

export interface StateSet extends StateDelete {
  readonly value: Buffer
  /** The value came as JSON. */
  readonly isJson: boolean
}

export interface StateChange {
  /** `upsert` or `delete`. */
  readonly operation: string
  readonly request: StateSet
}

/** A request with a value that no store accepts. */
class RequestFault extends Error {}

const isOf = <T extends string>(words: readonly T[], word: string): word is T =>
  (words as readonly string[]).includes(word)

/** Throws for unknown values (components-contrib: state.CheckRequestOptions). */
export function deleteRequest({etag, metadata, concurrency, consistency}: StateDelete, key: string): DeleteRequest {
  if (!isOf(CONCURRENCY, concurrency)) throw new RequestFault(`unrecognized concurrency model '${concurrency}'`)
  if (!isOf(CONSISTENCY, consistency)) throw new RequestFault(`unrecognized consistency model '${consistency}'`)
  return {key, etag, metadata, options: {concurrency, consistency}}
}

export const setRequest = (change: StateSet, key: string): SetRequest => ({
  ...deleteRequest(change, key),
  value: change.value,
  isJson: change.isJson
})

/** Returns a step of a transaction for a store. `metadata`: of the whole transaction; the metadata of the step has precedence. */
export function storeOperation(
  {operation, request}: StateChange,
  key: string,
  metadata: Readonly<Record<string, string>>
): StateOperation {
  const change = {...request, metadata: {...metadata, ...request.metadata}}
  return operation === 'delete'
    ? {kind: 'delete', request: deleteRequest(change, key)}
    : {kind: 'upsert', request: setRequest(change, key)}
}

/** Whether the store has refused a write: repeating it cannot help. */
export const isRefusal = (error: unknown): boolean => error instanceof EtagError || error instanceof RequestFault

/** Dapr's error for requests that failed; a wrong etag has a status of its own. */
export function writeFailure(errors: readonly unknown[], code: string, text: (why: string) => string): BlockError {
  const message = text(errors.map(messageOf).join('\n'))
  const etag = errors.find(error => error instanceof EtagError)
  if (etag?.kind === 'mismatch') return new BlockError([409, 'aborted', code], message)
  if (etag?.kind === 'invalid') return new BlockError([400, 'invalidArgument', code], message)
  return new BlockError([500, 'internal', code], message)
}
