import {isJson} from '../../../model/is-json.ts'
import {compactJson, memberIn, memberText} from '../blocks/json-text.ts'
import type {BulkItem} from '../blocks/state.ts'
import type {StateSet} from '../blocks/state-requests.ts'
import {goJson} from '../http/go-text.ts'
import {malformed, textIn, textsIn} from './block-request.ts'
import {isObject} from '../../../model/is-object.ts'

/** An item to save or delete; its value stays as it is written. */
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

/** The value itself if it is JSON, else as a string. */
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
