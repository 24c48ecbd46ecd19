import {BUILT_IN_RETRY} from '../defaults.ts'
import type {Field} from '../field.ts'
import {parseGoDuration} from '../../../model/go-duration.ts'
import {
  GRPC_CODE_RANGE,
  HTTP_CODE_RANGE,
  parseStatusCodes,
  type CodeRange,
  type StatusMatching
} from './status-codes.ts'
import {compileTrip, defaultTrip, type Trip} from './trip.ts'
import type {CircuitBreakerPolicy, Policies, RetryPolicy} from './policies.ts'

const RETRY_ALL: StatusMatching = {http: undefined, grpc: undefined}

/** Policies that a resource may override, but not with fewer than three retries. */
const BUILT_IN = new Set([
  BUILT_IN_RETRY.name,
  'DaprBuiltInActorRetries',
  'DaprBuiltInActorReminderRetries',
  'DaprBuiltInInitializationRetries'
])
const PROTECTED = 'DaprBuiltInActorNotFoundRetries'
const MIN_BUILT_IN_RETRIES = 3

/** Reads `spec.policies` (Dapr: pkg/apis/resiliency/v1alpha1, decodePolicies). Faults are noted at their fields. */
export async function readPolicies(spec: Field): Promise<Policies> {
  spec.warnUnknownKeys(['timeouts', 'retries', 'circuitBreakers'])
  const timeouts = new Map<string, number>()
  for (const [name, field] of spec.field('timeouts').entries()) timeouts.set(name, readDuration(field, 0))
  const retries = new Map<string, RetryPolicy>()
  for (const [name, field] of spec.field('retries').entries()) {
    const retry = readRetry(name, field)
    if (name === PROTECTED) field.warn(`${PROTECTED} cannot be overridden: this policy is ignored`)
    else retries.set(name, retry)
  }
  const circuitBreakers = new Map<string, CircuitBreakerPolicy>()
  for (const [name, field] of spec.field('circuitBreakers').entries())
    circuitBreakers.set(name, await readBreaker(name, field))
  return {timeouts, retries, circuitBreakers}
}

function readRetry(name: string, field: Field): RetryPolicy {
  field.warnUnknownKeys(['policy', 'duration', 'maxInterval', 'maxRetries', 'matching'])
  const maxRetries = field.field('maxRetries').integer() ?? -1
  const tooFew = BUILT_IN.has(name) && maxRetries < MIN_BUILT_IN_RETRIES
  if (tooFew)
    field
      .field('maxRetries')
      .warn(`Attempted override of ${name} did not meet minimum retry count, resetting to ${MIN_BUILT_IN_RETRIES}.`)
  return {
    name,
    policy: readRetryKind(field.field('policy')),
    durationMs: readDuration(field.field('duration'), 5000),
    maxIntervalMs: readDuration(field.field('maxInterval'), 60_000),
    maxRetries: tooFew ? MIN_BUILT_IN_RETRIES : Math.max(-1, maxRetries),
    matching: readMatching(field.field('matching'))
  }
}

function readRetryKind(field: Field): RetryPolicy['policy'] {
  const written = field.text()
  const kind = written.toLowerCase()
  if (kind === 'constant' || kind === 'exponential') return kind
  if (written !== '')
    field.error(`unexpected back off policy type: ${written}`, {expected: 'expected constant or exponential'})
  return 'constant'
}

function readMatching(field: Field): StatusMatching {
  if (field.isAbsent) return RETRY_ALL
  field.warnUnknownKeys(['httpStatusCodes', 'gRPCStatusCodes'])
  return {
    http: readStatusCodes(field.field('httpStatusCodes'), HTTP_CODE_RANGE),
    grpc: readStatusCodes(field.field('gRPCStatusCodes'), GRPC_CODE_RANGE)
  }
}

function readStatusCodes(field: Field, valid: CodeRange): readonly CodeRange[] | undefined {
  const list = field.text()
  if (list === '') return undefined
  const ranges = parseStatusCodes(list, valid)
  if (!('message' in ranges)) return ranges
  const hint = /\s/.test(list) ? `write it without blanks: ${list.replace(/\s+/g, '')}` : ''
  field.noteWithin(ranges.offset, {severity: 'error', message: ranges.message, hint})
  return undefined
}

async function readBreaker(name: string, field: Field): Promise<CircuitBreakerPolicy> {
  field.warnUnknownKeys(['maxRequests', 'interval', 'timeout', 'trip'])
  const maxRequests = field.field('maxRequests').integer() ?? 0
  if (maxRequests < 0) field.field('maxRequests').error('maxRequests is negative', {expected: 'expected 1 or more'})
  const trip = field.field('trip')
  const expression = trip.text()
  return {
    name,
    maxRequests: Math.max(1, maxRequests),
    intervalMs: readDuration(field.field('interval'), 0),
    timeoutMs: readDuration(field.field('timeout'), 0) || 60_000,
    expression,
    trip: expression === '' ? defaultTrip : await readTrip(trip, expression)
  }
}

async function readTrip(field: Field, expression: string): Promise<Trip> {
  const {trip, fault} = await compileTrip(expression)
  if (fault !== undefined) field.noteWithin(fault.offset, fault)
  return trip
}

/** Reads a duration. As in Dapr, a negative one counts as none, but with a warning. */
function readDuration(field: Field, absent: number): number {
  const text = field.text()
  if (text === '') return absent
  const ms = parseGoDuration(text)
  if (typeof ms === 'string') {
    field.error(`invalid duration ${JSON.stringify(text)}: ${ms}`, {
      expected: 'expected a duration such as 5s or 250ms'
    })
    return absent
  }
  if (ms < 0) field.warn(`${field.path} is negative: it counts as 0`)
  return Math.max(0, ms)
}
