import {isUtf8} from 'node:buffer'
import {jsonOrText} from '../../model/exact-json.ts'
import {orElse} from '../../model/or-else.ts'
import {isJson} from '../../model/is-json.ts'
import {decode} from '../../proxy/net/grpc/message-codec.ts'
import {valueIn} from '../../proxy/net/grpc/struct.ts'
import type {JobData} from './job.ts'

const TYPES = 'type.googleapis.com/'

/** The type in which data that came as JSON are wrapped. */
export const VALUE_URL = `${TYPES}google.protobuf.Value`
const STRING_URL = `${TYPES}google.protobuf.StringValue`
const STRING = {text: [1, 'string']} as const

/** The bytes that an app gets over HTTP: JSON where possible. */
export function jobBody(data: JobData | undefined): Buffer {
  if (data === undefined) return Buffer.alloc(0)
  const wrapped = wrappedIn(data)
  if (wrapped !== undefined) return Buffer.from(JSON.stringify(wrapped))
  const bytes = Buffer.from(data.value)
  const text = bytes.toString()
  return isJson(text) ? Buffer.from(text.trim()) : bytes
}

/** The data as people see them: JSON as it is, else text, else base64. */
export function plainData(data: JobData): unknown {
  const wrapped = wrappedIn(data)
  if (wrapped !== undefined) return wrapped
  const bytes = Buffer.from(data.value)
  return isUtf8(bytes) ? jsonOrText(bytes.toString()) : bytes.toString('base64')
}

/** The data as Dapr's API returns them with a job. */
export const jobDataJson = (data: JobData): unknown =>
  wrappedIn(data) === undefined ? plainData(data) : {'@type': data.typeUrl, value: plainData(data)}

/** The JSON that a message wraps, as its type says; undefined: its type is another one, or its bytes do not fit the type (any app may send it). */
const wrappedIn = ({typeUrl, value}: JobData): unknown =>
  orElse(
    () => (typeUrl === VALUE_URL ? valueIn(value) : typeUrl === STRING_URL ? decode(STRING, value).text : undefined),
    undefined
  )
