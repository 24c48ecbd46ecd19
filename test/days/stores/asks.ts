import {operationOf} from '../../../src/dapr/sidecar/operations/operations.ts'
import type {BlockCaller} from '../../../src/dapr/sidecar/operations/operation.ts'
import {BlockError} from '../../../src/dapr/sidecar/blocks/block-error.ts'
import type {Blocks} from '../../../src/dapr/sidecar/blocks/blocks.ts'
import type {ApiOperation} from '../../../src/model/dapr/api/api.ts'
import {decode, encode, type Message, type Schema} from '../../../src/proxy/net/grpc/message-codec.ts'
import type {Reply} from '../../../src/proxy/net/reply.ts'
import type {Change, Outcome} from './model.ts'

export type Protocol = 'http' | 'grpc'

/** An item as it was answered; undefined: there is none. */
export type Read = {readonly value: string; readonly etag: string; readonly hasTtl: boolean} | undefined

const nothing = (): void => undefined
const CALLER = {setHeader: nothing, onGone: nothing, head: {}, trace: {}} as unknown as BlockCaller

/** Sends a request over HTTP, as its routes read it. */
export const byHttp = async (
  blocks: Blocks,
  name: ApiOperation['name'],
  {params, query = '', lines = '', body}: {params: readonly string[]; query?: string; lines?: string; body?: unknown}
): Promise<Reply> => {
  const bytes =
    body === undefined ? Buffer.alloc(0) : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return operationOf(name, 'http')(blocks, {
    protocol: 'HTTP/1.1',
    params,
    query,
    lines,
    trace: '',
    body: bytes,
    onGone: nothing
  })
}

/** Sends a message over gRPC: it is written and read as on the wire. */
export const byGrpc = async <S extends Schema>(
  blocks: Blocks,
  name: ApiOperation['name'],
  message: object
): Promise<Message<S>> => {
  const operation = operationOf(name, 'grpc')
  const {request, reply} = operation
  const sent = decode(request, encode(request, message as Message<Schema>))
  const answered = await operation.answer(blocks, sent, CALLER)
  return decode(reply, encode(reply, answered ?? {})) as unknown as Message<S>
}

/** What a request comes to; the words of an error that is none of those that a store may give. */
export async function outcomeOf(work: Promise<unknown>, protocol: Protocol): Promise<{outcome: Outcome; why: string}> {
  try {
    await work
    return {outcome: 'ok', why: ''}
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    const {errorCode, status, grpcCode, message: why} = error
    if (/_NOT_(?:FOUND|CONFIGURED)$/.test(errorCode)) return {outcome: 'missing', why}
    const [mismatch, invalid] =
      protocol === 'http' ? [status === 409, status === 400] : [grpcCode === 10, grpcCode === 3]
    return {outcome: mismatch ? 'mismatch' : invalid ? 'invalid' : 'failed', why}
  }
}

const optionsOf = ({isFirst, isLast}: Change): number => (isFirst ? 1 : isLast ? 2 : 0)
const WORDS = ['', 'first-write', 'last-write'] as const
const ttlOf = ({ttl}: Change): Readonly<Record<string, string>> =>
  ttl === undefined ? {} : {ttlInSeconds: ttl.toString()}
const bytesOf = (value: string): Buffer => Buffer.from(value, 'latin1')

/** As the body of a request over HTTP has it, whose value is JSON. */
const itemText = (change: Change): string => {
  const {key, value, etag} = change
  const more = {key, etag: etag || undefined, options: {concurrency: WORDS[optionsOf(change)]}, metadata: ttlOf(change)}
  return `{${change.kind === 'upsert' ? `"value":${bytesOf(value).toString()},` : ''}${JSON.stringify(more).slice(1)}`
}

const itemMessage = (change: Change): object => ({
  key: change.key,
  value: bytesOf(change.value),
  etag: change.etag === '' ? undefined : {value: change.etag},
  metadata: ttlOf(change),
  options: {concurrency: optionsOf(change), consistency: 0}
})

export const save = async (
  blocks: Blocks,
  protocol: Protocol,
  store: string,
  changes: readonly Change[]
): Promise<unknown> =>
  protocol === 'http'
    ? byHttp(blocks, 'SaveState', {params: [store], body: `[${changes.map(itemText).join(',')}]`})
    : byGrpc(blocks, 'SaveState', {storeName: store, states: changes.map(itemMessage)})

export const remove = async (blocks: Blocks, protocol: Protocol, store: string, change: Change): Promise<unknown> => {
  if (protocol === 'grpc')
    return byGrpc(blocks, 'DeleteState', {storeName: store, ...itemMessage(change), value: undefined})
  const lines = change.etag === '' ? '' : `If-Match: ${change.etag}\r\n`
  return byHttp(blocks, 'DeleteState', {
    params: [store, change.key],
    lines,
    query: `?concurrency=${WORDS[optionsOf(change)]}`
  })
}

export const removeAll = async (blocks: Blocks, store: string, changes: readonly Change[]): Promise<unknown> =>
  byGrpc(blocks, 'DeleteBulkState', {storeName: store, states: changes.map(itemMessage)})

export const transact = async (
  blocks: Blocks,
  protocol: Protocol,
  store: string,
  changes: readonly Change[]
): Promise<unknown> => {
  if (protocol === 'grpc') {
    const operations = changes.map(each => ({operationType: each.kind, request: itemMessage(each)}))
    return byGrpc(blocks, 'ExecuteStateTransaction', {storeName: store, operations})
  }
  const texts = changes.map(each => `{"operation":"${each.kind}","request":${itemText(each)}}`)
  return byHttp(blocks, 'ExecuteStateTransaction', {params: [store], body: `{"operations":[${texts.join(',')}]}`})
}

export async function get(blocks: Blocks, protocol: Protocol, store: string, key: string): Promise<Read> {
  if (protocol === 'grpc') {
    const {data, etag, metadata} = (await byGrpc(blocks, 'GetState', {storeName: store, key})) as unknown as Found
    const value = Buffer.from(data).toString('latin1')
    return value === '' ? undefined : {value, etag, hasTtl: 'ttlExpireTime' in metadata}
  }
  const {status, bytes, lines} = await byHttp(blocks, 'GetState', {params: [store, key]})
  if (status === 204) return undefined
  const etag = /^Etag: (.*)\r$/m.exec(lines)?.[1] ?? ''
  return {value: (bytes ?? Buffer.alloc(0)).toString('latin1'), etag, hasTtl: /^Metadata\.ttlExpireTime:/im.test(lines)}
}

interface Found {
  readonly data: Uint8Array
  readonly etag: string
  readonly metadata: Readonly<Record<string, string>>
}

/** Over gRPC values are as they are; over HTTP one that is no JSON is left out (`value` is ''). */
export async function getAll(
  blocks: Blocks,
  protocol: Protocol,
  store: string,
  keys: readonly string[]
): Promise<readonly Read[]> {
  if (protocol === 'grpc') {
    const {items} = (await byGrpc(blocks, 'GetBulkState', {storeName: store, keys, parallelism: 2})) as unknown as {
      items: readonly Found[]
    }
    return items.map(({data, etag, metadata}) =>
      data.length === 0
        ? undefined
        : {value: Buffer.from(data).toString('latin1'), etag, hasTtl: 'ttlExpireTime' in metadata}
    )
  }
  const {body} = await byHttp(blocks, 'GetBulkState', {params: [store], body: {keys}})
  const items = JSON.parse(body) as readonly {data?: unknown; etag?: string; metadata?: object; error?: string}[]
  return items.map(({data, etag = '', metadata = {}, error}) => {
    if (error !== undefined) throw new BlockError([500, 'internal', 'ERR_STATE_BULK_GET'], error)
    return data === undefined ? undefined : {value: '', etag, hasTtl: 'ttlExpireTime' in metadata}
  })
}

export async function tryLock(
  blocks: Blocks,
  protocol: Protocol,
  of: {storeName: string; resourceId: string; lockOwner: string; expiryInSeconds: number}
): Promise<boolean> {
  if (protocol === 'grpc') return ((await byGrpc(blocks, 'TryLock', of)) as {success: boolean}).success
  const {body} = await byHttp(blocks, 'TryLock', {params: [of.storeName], body: {...of, storeName: undefined}})
  return (JSON.parse(body) as {success?: boolean}).success === true
}

export async function unlock(
  blocks: Blocks,
  protocol: Protocol,
  of: {storeName: string; resourceId: string; lockOwner: string}
): Promise<number> {
  if (protocol === 'grpc') return ((await byGrpc(blocks, 'Unlock', of)) as {status: number}).status
  const {body} = await byHttp(blocks, 'Unlock', {params: [of.storeName], body: {...of, storeName: undefined}})
  return (JSON.parse(body) as {status?: number}).status ?? 0
}
