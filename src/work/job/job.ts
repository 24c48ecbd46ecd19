import type {FailurePolicy, Planned} from '../series/series.ts'

/** The data that the app gets with each tick: a `google.protobuf.Any`. */
export interface JobData {
  readonly typeUrl: string
  readonly value: Uint8Array
}

/** A job as its caller describes it. An absent key was not given. */
export interface JobRequest {
  readonly name: string
  readonly schedule?: string | undefined
  readonly dueTime?: string | undefined
  readonly ttl?: string | undefined
  readonly repeats?: number | undefined
  readonly data?: JobData | undefined
  readonly policy?: FailurePolicy | undefined
}

/** A job as it is kept. Times are milliseconds since 1970, by the clock of the file (`WakeUps.date`). */
export interface Job extends JobRequest, Planned {
  readonly policy: FailurePolicy
  readonly begin: number
  /** The next tick, or the one that is under way; undefined: there will be none. */
  readonly planned: number | undefined
  /** No tick comes after this time. */
  readonly expires: number | undefined
  /** The number of ticks that are done. */
  readonly count: number
  /** The latest tick that is done. */
  readonly last: number | undefined
  readonly isPaused: boolean
  /** The app's latest answer; '' = none yet. */
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

/** The unique name of a job among those of all apps, as in Dapr's scheduler. */
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
