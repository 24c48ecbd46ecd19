import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {nearMiss} from '../../../model/near-miss.ts'
import {readDuration} from '../../../model/duration.ts'
import {aborted} from '../../../platform/delay.ts'
import {ApiProblem, givenObject} from '../problem.ts'
import type {ApiRequest} from '../route.ts'
import {readCondition} from './condition.ts'
import {waitFor, type WaitOptions} from './wait.ts'
import type {WaitContext} from './wait-context.ts'

/** The maximum number of waits at the same time. */
const MAX_WAITS = 64
const MAX_CONDITIONS = 100
const TIMEOUT_MS = 60_000

const waits = new WeakMap<WaitContext, number>()

/** Waits for the conditions of a request. Throws a UserError for a wrong body and for unknown apps. */
export async function serveWait(
  context: WaitContext,
  {body, gone}: Pick<ApiRequest, 'body' | 'gone'>
): Promise<Api.Waited> {
  void context.holds(aborted(gone))
  const asked = readWait(body)
  const count = waits.get(context) ?? 0
  if (count >= MAX_WAITS) throw new ApiProblem(503, `${MAX_WAITS} others wait already`, 'Let one of them end.')
  waits.set(context, count + 1)
  try {
    return await waitFor(context, {...asked, signal: gone})
  } finally {
    waits.set(context, (waits.get(context) ?? 1) - 1)
  }
}

const KEYS = ['for', 'any', 'timeout', 'ignore', 'from'] as const
type Key = (typeof KEYS)[number]

/** Reads `{"for": ["ready"], "timeout": "60s"}`. Throws a UserError. */
function readWait(body: string): WaitOptions {
  const fields: Partial<Record<Key, unknown>> = givenObject(body, '{"for": ["ready"], "timeout": "60s"}')
  const unknown = Object.keys(fields).find(key => !(KEYS as readonly string[]).includes(key))
  if (unknown !== undefined) {
    const near = nearMiss(unknown, KEYS)
    throw new UserError(`there is no key "${unknown}"`, {
      explanation: near === '' ? `Keys are: ${KEYS.join(', ')}.` : `Did you mean ${near}?`
    })
  }
  const wanted = textsOf(fields, 'for')
  if (wanted.length === 0 || wanted.length > MAX_CONDITIONS)
    throw wrong('for', `one to ${MAX_CONDITIONS} conditions: ["ready", "idle:500ms"]`)
  const {any = false, timeout, from} = fields
  if (typeof any !== 'boolean') throw wrong('any', 'true or false')
  const timeoutMs = timeout === undefined ? TIMEOUT_MS : typeof timeout === 'string' ? readDuration(timeout) : undefined
  if (timeoutMs === undefined) throw wrong('timeout', 'a duration up to 24 days: "60s"')
  return {
    conditions: wanted.map(readCondition),
    isAny: any,
    timeoutMs,
    ignore: textsOf(fields, 'ignore'),
    from: readFrom(from)
  }
}

function textsOf(fields: Partial<Record<Key, unknown>>, key: Key): readonly string[] {
  const value = fields[key] ?? []
  const texts: unknown[] = Array.isArray(value) ? value : [value]
  if (texts.length <= MAX_CONDITIONS && texts.every(each => typeof each === 'string' && each.length <= 2000))
    return texts as string[]
  throw wrong(key, 'a list of texts')
}

function readFrom(from: unknown): 'start' | 'now' | number {
  if (from === undefined || from === 'start') return 'start'
  if (from === 'now') return 'now'
  if (typeof from === 'number' && Number.isInteger(from) && from > 0) return from
  throw wrong('from', '"start", "now", or the id of an event')
}

const wrong = (key: Key, expected: string): UserError =>
  new UserError(`"${key}" is wrong`, {explanation: `It is ${expected}.`})
