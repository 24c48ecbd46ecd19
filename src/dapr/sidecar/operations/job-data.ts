import {isUtf8} from 'node:buffer'
import {BinaryReader} from '@bufbuild/protobuf/wire'
import {valueIn} from '../../../proxy/net/grpc/struct.ts'
import type {JobData} from '../../../work/job/job.ts'

const TYPES = 'type.googleapis.com/'

/** What data that came as JSON are wrapped in. */
export const VALUE_URL = `${TYPES}google.protobuf.Value`
const STRING_URL = `${TYPES}google.protobuf.StringValue`

/** The bytes that an app of HTTP gets: JSON where it can be. */
export function jobBody(data: JobData | undefined): Buffer {
  if (data === undefined) return Buffer.alloc(0)
  const {typeUrl, value} = data
  if (typeUrl === VALUE_URL) return Buffer.from(JSON.stringify(valueIn(value)))
  if (typeUrl === STRING_URL) return Buffer.from(JSON.stringify(textIn(value)))
  const bytes = Buffer.from(value)
  const text = bytes.toString()
  return isJson(text) ? Buffer.from(text.trim()) : bytes
}

/** Data in the answer to who asks for a job: JSON as it is, else text, or base64. */
export function jobDataJson({typeUrl, value}: JobData): unknown {
  if (typeUrl === VALUE_URL) return {'@type': typeUrl, value: valueIn(value)}
  if (typeUrl === STRING_URL) return {'@type': typeUrl, value: textIn(value)}
  const bytes = Buffer.from(value)
  const text = bytes.toString()
  if (isJson(text)) return JSON.parse(text)
  return isUtf8(bytes) ? text : bytes.toString('base64')
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The text of a `google.protobuf.StringValue`. */
function textIn(bytes: Uint8Array): string {
  const reader = new BinaryReader(bytes)
  let text = ''
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    if (number === 1) text = reader.string()
    else reader.skip(type, number)
  }
  return text
}
