import type {FailurePolicy, Planned} from '../series/series.ts'
import {isUtf8} from 'node:buffer'
import {jsonOrText} from '../../model/exact-json.ts'
import {orElse} from '../../model/or-else.ts'
import {isJson} from '../../model/is-json.ts'
import {decode} from '../../proxy/net/grpc/message-codec.ts'
import {valueIn} from '../../proxy/net/grpc/struct.ts'

/** The data that the app receives with each tick: a `google.protobuf.Any`. */
interface JobData {
  readonly typeUrl: string
  readonly value: Uint8Array
}

/** A job as its caller describes it. */
export interface JobRequest {
  readonly name: string
  readonly schedule?: string | undefined
  readonly dueTime?: string | undefined
  readonly ttl?: string | undefined
  readonly repeats?: number | undefined
  readonly data?: JobData | undefined
  readonly policy?: FailurePolicy | undefined
}

/** A stored job. Times are ms since 1970 by the file's clock (`WakeUps.date`). */
export interface Job extends JobRequest, Planned {
  readonly policy: FailurePolicy
  /** When the job was scheduled. */
  readonly begin: number
  /** Time of the next tick, or of the one under way; undefined: the job never fires. */
  readonly planned: number | undefined
  /** Time after which no tick follows; undefined: the job does not expire. */
  readonly expires: number | undefined
  /** Number of finished ticks. */
  readonly count: number
  /** Time of the latest finished tick; undefined: none. */
  readonly last: number | undefined
  readonly isPaused: boolean
  /** The app's latest answer; '': none yet. */
  readonly answer: string
}

export class JobError extends Error {
  readonly kind: 'exists' | 'invalid' | 'unknown' | 'busy'

  constructor(kind: JobError['kind'], message: string) {
    super(message)
    this.name = 'JobError'
    this.kind = kind
  }
}

/** Returns the name of a job that is unique over all apps, as in Dapr's scheduler. */
export const jobKey = (app: string, name: string): string => `app||default||${app}||${name}`

const MAX_KEY_BYTES = 512

const badName = (text: string, why: string): JobError =>
  new JobError('invalid', `job name is invalid ${JSON.stringify(text)}: must ${why}`)

/** Throws a JobError for names that Dapr refuses (diagridio/go-etcd-cron: internal/key). */
export function checkJobName(app: string, name: string): void {
  const key = jobKey(app, name)
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw badName(key, `be at most ${MAX_KEY_BYTES} characters`)
  if (/[/\\#?]/.test(name)) throw badName(name, "not contain '/', '\\', '#' or '?'")
  if (/\p{Cc}/u.test(name)) throw badName(name, 'not contain control characters')
}

const TYPES = 'type.googleapis.com/'

/** Type of the message that contains the data of a job in JSON. */
export const VALUE_URL = `${TYPES}google.protobuf.Value`
const STRING_URL = `${TYPES}google.protobuf.StringValue`
const STRING = {text: [1, 'string']} as const

/** Returns the request body for an app with HTTP: JSON if the data are JSON, else their bytes. */
export function jobBody(data: JobData | undefined): Buffer {
  if (data === undefined) return Buffer.alloc(0)
  const wrapped = wrappedIn(data)
  if (wrapped !== undefined) return Buffer.from(JSON.stringify(wrapped))
  const bytes = Buffer.from(data.value)
  const text = bytes.toString()
  return isJson(text) ? Buffer.from(text.trim()) : bytes
}

/** Returns the data for people: JSON, else text, else base64. */
export function plainData(data: JobData): unknown {
  const wrapped = wrappedIn(data)
  if (wrapped !== undefined) return wrapped
  const bytes = Buffer.from(data.value)
  return isUtf8(bytes) ? jsonOrText(bytes.toString()) : bytes.toString('base64')
}

/** Returns the data as Dapr's API reports them with a job. */
export const jobDataJson = (data: JobData): unknown =>
  wrappedIn(data) === undefined ? plainData(data) : {'@type': data.typeUrl, value: plainData(data)}

/** Returns the JSON in a message; undefined: of another type, or not readable as its type (any app may send such bytes). */
const wrappedIn = ({typeUrl, value}: JobData): unknown =>
  orElse(
    () => (typeUrl === VALUE_URL ? valueIn(value) : typeUrl === STRING_URL ? decode(STRING, value).text : undefined),
    undefined
  )
