import {createHash} from 'node:crypto'
import {failure, missing} from './replies.ts'
import type {Reply} from '../../proxy/net/reply.ts'

/** The body that `notify()` of Daeploy's SDK posts. */
export interface Notification {
  readonly service_name: string
  readonly service_version: string
  readonly msg: string
  /** 0, 1, 2: INFO, WARNING, CRITICAL; other numbers are accepted. */
  readonly severity: number
  readonly dashboard: boolean
  readonly emails: readonly string[] | null
  /** Seconds for which Daeploy's manager would send no further e-mail. */
  readonly timer: number
  readonly timestamp: string
}

export interface KeptNotification extends Notification {
  /** Number of times that the notification was sent. */
  readonly counter: number
  /** End of the time without e-mails; omitted: no timer. */
  readonly frozen_until?: string
}

const MAX_KEPT = 1000

/** Maximum distance of a Date from 1970, in ms. */
const LAST_DATE = 8.64e15

/** The latest notifications of a run, by an opaque number. Notifications that differ only in time or recipients count as one. */
export class Notifications {
  readonly #kept = new Map<string, KeptNotification>()

  /** Adds a notification. `now`: ms since 1970. */
  add(notification: Notification, now: number): void {
    const key = keyOf(notification)
    const before = this.#kept.get(key)
    const frozen = frozenUntil(notification, before, now)
    this.#kept.delete(key) // keeps the latest at the end
    this.#kept.set(key, {...notification, counter: (before?.counter ?? 0) + 1, ...frozen})
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest)
  }

  clear(): void {
    this.#kept.clear()
  }

  list(): Readonly<Record<string, KeptNotification>> {
    return Object.fromEntries(this.#kept)
  }
}

function frozenUntil(
  {timer}: Notification,
  before: KeptNotification | undefined,
  now: number
): {frozen_until?: string} {
  if (timer === 0) return {}
  const known = before?.frozen_until
  if (known !== undefined && Date.parse(known) > now) return {frozen_until: known}
  const until = Math.max(-LAST_DATE, Math.min(LAST_DATE, now + timer * 1000))
  return {frozen_until: new Date(until).toISOString()}
}

/** Returns a key from the identifying fields, as Python's hash: a signed number of 64 bits, negative so that it is not an array index. */
function keyOf({service_name, service_version, msg, severity, dashboard, timer}: Notification): string {
  const text = JSON.stringify([service_name, service_version, msg, severity, dashboard, timer])
  return `-${createHash('sha256').update(text).digest().readBigUInt64BE() >> 1n}`
}

const SEVERITIES: Readonly<Record<number, string>> = {0: 'INFO', 1: 'WARNING', 2: 'CRITICAL'}

/** Returns the log line of a notification. */
export function notificationLine({service_name, service_version, severity, msg, emails}: Notification): string {
  const mail = emails !== null && emails.length > 0 ? ' (e-mail not sent)' : ''
  const text = `${service_name} ${service_version} ${SEVERITIES[severity] ?? severity.toString()} ${msg}`
  return `🔔 ${text.replaceAll(/[\r\n]+/g, ' ')}${mail}`
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isWhole = (value: unknown): boolean => Number.isInteger(value)
const isTexts = (value: unknown): boolean => value === null || (Array.isArray(value) && value.every(isText))

/** Fields in Daeploy's order, each with its check and pydantic's error. */
const FIELDS: readonly (readonly [name: string, isValid: (value: unknown) => boolean, type: string, msg: string])[] = [
  ['service_name', isText, 'string_type', 'Input should be a valid string'],
  ['service_version', isText, 'string_type', 'Input should be a valid string'],
  ['msg', isText, 'string_type', 'Input should be a valid string'],
  ['severity', isWhole, 'int_type', 'Input should be a valid integer'],
  ['dashboard', value => typeof value === 'boolean', 'bool_type', 'Input should be a valid boolean'],
  ['emails', isTexts, 'list_type', 'Input should be a valid list'],
  ['timer', isWhole, 'int_type', 'Input should be a valid integer'],
  ['timestamp', isText, 'string_type', 'Input should be a valid string']
]

/** Reads a posted notification. Returns FastAPI's error if it is invalid. */
export function readNotification(body: unknown): Notification | Reply {
  const given = typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : {}
  const filled: Readonly<Record<string, unknown>> = {...given, emails: given['emails'] ?? null}
  const faults = FIELDS.flatMap(([name, isValid, type, msg]) => {
    if (!Object.hasOwn(filled, name)) return [missing(given, 'body', name)]
    return isValid(filled[name]) ? [] : [{type, loc: ['body', name], msg, input: filled[name]}]
  })
  if (faults.length > 0) return failure(422, faults)
  return Object.fromEntries(FIELDS.map(([name]) => [name, filled[name]])) as unknown as Notification
}
