import {isJson} from '../../../model/is-json.ts'
import {compactJson, memberIn, memberText} from '../blocks/json-text.ts'
import type {BulkItem} from '../blocks/state.ts'
import type {StateSet} from '../blocks/state-requests.ts'
import {goJson} from '../http/go-text.ts'
import {malformed, textIn, textsIn} from './block-request.ts'
import {isObject} from '../../../model/is-object.ts'
import {CONCURRENCY, CONSISTENCY} from '../../components/state-store.ts'
import type {StateItem} from '../../../model/dapr/messages/common.generated.ts'
import type {Message} from '../../../proxy/net/grpc/message-codec.ts'
import {BlockError} from '../blocks/block-error.ts'
import {bufferOf} from './operation.ts'

/** Reads an item to save or delete from JSON. Its value stays as written. `prefix`: Dapr's words before a mistake. */
export function readItem(text: string, value: unknown, prefix: string | undefined): StateSet {
  if (!isObject(value)) throw malformed('an item must be an object', prefix)
  const key = textIn(value, 'key', prefix)
  if (key === '') throw malformed('"key" is a required field', prefix)
  const options = memberIn(value, 'options') ?? {}
  if (!isObject(options)) throw malformed('"options" must be an object', prefix)
  return {
    key,
    value: Buffer.from(compactJson(memberText(text, 'value') ?? 'null')),
    isJson: true,
    etag: textIn(value, 'etag', prefix),
    metadata: textsIn(value, 'metadata', prefix),
    concurrency: textIn(options, 'concurrency', prefix),
    consistency: textIn(options, 'consistency', prefix)
  }
}

/** Returns an item of a bulk answer as JSON. A value that is not JSON becomes a string. */
export function bulkItem({key, item, error}: BulkItem): string {
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
  return isJson(text) ? text : goJson(text)
}

// below: items of state in messages (Dapr: pkg/api/grpc/grpc.go)

type Item = Message<typeof StateItem>

const wordOf = (words: readonly string[], index: number): string => words[index] ?? index.toString()

export const consistencyOf = (index: number): string => wordOf(CONSISTENCY, index)

export const wishOf = ({key, value, etag, metadata, options}: Item): StateSet => ({
  key,
  value: bufferOf(value),
  isJson: saysJson(metadata),
  etag: etag?.value ?? '',
  metadata,
  concurrency: wordOf(CONCURRENCY, options?.concurrency ?? 0),
  consistency: consistencyOf(options?.consistency ?? 0)
})

const saysJson = (metadata: Readonly<Record<string, string>>): boolean =>
  Object.entries(metadata).some(([name, value]) => name.toLowerCase() === 'contenttype' && value === 'application/json')

/** Checks values that are declared as JSON (Dapr's text). Throws a BlockError. */
export function checkJson(items: readonly Item[]): void {
  if (items.some(({metadata, value}) => saysJson(metadata) && !isJson(bufferOf(value).toString())))
    throw new BlockError([500, 'unknown', 'ERR_MALFORMED_REQUEST'], 'unexpected end of JSON input')
}

export const EMPTY_ITEM: Item = {key: '', value: new Uint8Array(0), etag: undefined, metadata: {}, options: undefined}
