import {compactJson, itemTexts, memberTexts} from '../../blocks/json-text.ts'
import type {BulkItem, OperationWish, SetWish} from '../../blocks/state.ts'
import {goJson} from '../go-text.ts'
import {
  DONE,
  headerOf,
  isObject,
  malformed,
  metadataOf,
  queryOf,
  readJson,
  textIn,
  textsIn,
  type BlockHandler
} from './block-request.ts'

// State over HTTP (Dapr: pkg/api/http/http.go and pkg/api/http/state.go).

const JSON_TYPE = 'application/json'

export const getState: BlockHandler = async ({state}, request) => {
  const {
    params: [store = '', key = ''],
    query
  } = request
  const consistency = query === '' ? '' : (queryOf(request).get('consistency') ?? '')
  const item = await state.get(store, key, {consistency, metadata: metadataOf(query)}, request.onGone)
  if (item === undefined) return DONE
  const etag = item.etag === '' ? '' : `Etag: ${item.etag}\r\n`
  const lines = Object.entries(item.metadata).map(([name, value]) => `Metadata.${name}: ${value}\r\n`)
  return {status: 200, type: JSON_TYPE, body: '', bytes: item.data, lines: etag + lines.join('')}
}

export const saveState: BlockHandler = async ({state}, request) => {
  const {text, value} = readJson(request, '')
  if (!Array.isArray(value)) throw malformed('expected an array of items', '')
  const metadata = metadataOf(request.query)
  const wishes = itemTexts(text).map((item, at) => {
    const wish = readItem(item, value[at] as unknown, '')
    return request.query === '' ? wish : {...wish, metadata: {...wish.metadata, ...metadata}}
  })
  await state.save(request.params[0] ?? '', wishes, request.onGone)
  return DONE
}

export const deleteState: BlockHandler = async ({state}, request) => {
  const {
    params: [store = '', key = ''],
    query
  } = request
  const asked = queryOf(request)
  const concurrency = asked.get('concurrency') ?? ''
  const consistency = asked.get('consistency') ?? ''
  const etag = headerOf(request, 'if-match')
  await state.delete(store, {key, etag, metadata: metadataOf(query), concurrency, consistency}, request.onGone)
  return DONE
}

export const bulkGetState: BlockHandler = async ({state}, request) => {
  const {value} = readJson(request)
  if (!isObject(value)) throw malformed('expected an object')
  const keys = value['keys'] ?? []
  if (!Array.isArray(keys) || !keys.every(key => typeof key === 'string')) throw malformed('"keys" must be texts')
  const parallelism = value['parallelism'] ?? 0
  if (typeof parallelism !== 'number') throw malformed('"parallelism" must be a number')
  const metadata = {...textsIn(value, 'metadata'), ...metadataOf(request.query)}
  const options = {parallelism, consistency: '', metadata}
  const items = await state.bulkGet(request.params[0] ?? '', keys, options, request.onGone)
  return {status: 200, type: JSON_TYPE, body: `[${items.map(bulkItem).join(',')}]`, lines: ''}
}

export const transactState: BlockHandler = async ({state}, request) => {
  const {text, value} = readJson(request)
  if (!isObject(value)) throw malformed('expected an object')
  const operations = value['operations'] ?? []
  if (!Array.isArray(operations)) throw malformed('"operations" must be an array')
  const texts = operations.length === 0 ? [] : itemTexts(memberTexts(text).get('operations') ?? '[]')
  const metadata = {...textsIn(value, 'metadata'), ...metadataOf(request.query)}
  const wishes = operations.map((operation: unknown, at): OperationWish => {
    if (!isObject(operation)) throw malformed('an operation must be an object')
    const item = memberTexts(texts[at] ?? '{}').get('request') ?? '{}'
    return {
      operation: textIn(operation, 'operation'),
      request: readItem(item, operation['request'] ?? {}, undefined)
    }
  })
  await state.transact(request.params[0] ?? '', wishes, metadata, request.onGone)
  return DONE
}

export const queryState: BlockHandler = async ({state}, {params: [store = '']}) => state.query(store)

/** An item to save or delete; its value stays as it is written. */
export function readItem(text: string, value: unknown, prefix: string | undefined): SetWish {
  if (!isObject(value)) throw malformed('an item must be an object', prefix)
  const key = textIn(value, 'key', prefix)
  if (key === '') throw malformed('"key" is a required field', prefix)
  const options = value['options'] ?? {}
  if (!isObject(options)) throw malformed('"options" must be an object', prefix)
  return {
    key,
    value: Buffer.from(compactJson(memberTexts(text).get('value') ?? 'null')),
    isJson: true,
    etag: textIn(value, 'etag', prefix),
    metadata: textsIn(value, 'metadata', prefix),
    concurrency: textIn(options, 'concurrency', prefix),
    consistency: textIn(options, 'consistency', prefix)
  }
}

/** The value itself if it is JSON, else as a string. */
function bulkItem({key, item, error}: BulkItem): string {
  const members = [`"key":${goJson(key)}`]
  if (item !== undefined) {
    members.push(`"data":${jsonOf(item.data)}`)
    if (item.etag !== '') members.push(`"etag":${goJson(item.etag)}`)
    if (Object.keys(item.metadata).length > 0) members.push(`"metadata":${goJson(item.metadata)}`)
  }
  if (error !== '') members.push(`"error":${goJson(error)}`)
  return `{${members.join(',')}}`
}

function jsonOf(data: Buffer): string {
  const text = data.toString()
  try {
    JSON.parse(text)
    return text
  } catch {
    return goJson(text)
  }
}
