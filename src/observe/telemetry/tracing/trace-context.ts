import type {TraceContext} from '../../../model/call.ts'
import {fillRandom} from '../../../platform/random.ts'

export const SAMPLED = 1

const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** Returns the caller's context. Undefined if it is missing or invalid. Only versions after 00 may have more parts. */
export function parseTraceContext(traceparent: string, tracestate: string): TraceContext | undefined {
  const [matched, version, traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(traceparent) ?? []
  if (matched === undefined || (version === '00' && more !== undefined)) return undefined
  return {traceId, spanId, flags: Number.parseInt(flags, 16), tracestate: parseTracestate(tracestate)}
}

/** Returns the value of the `traceparent` header. */
export const formatTraceparent = ({traceId, spanId, flags}: TraceContext): string =>
  `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`

/** Maximum characters of a tracestate in Dapr (pkg/diagnostics/consts). */
const MAX_TRACESTATE = 512

/** Returns the value of the `tracestate` header; '': Dapr omits it, since it is empty or too long. */
export const formatTracestate = ({tracestate}: TraceContext): string =>
  tracestate.length <= MAX_TRACESTATE ? tracestate : ''

const MAX_MEMBERS = 32
const MEMBER =
  /^(?:[a-z0-9][_0-9a-z\-*/]{0,255}|[a-z0-9][_0-9a-z\-*/]{0,240}@[a-z][_0-9a-z\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/

/** Returns a tracestate as OpenTelemetry for Go parses it, without empty members; empty if a member is invalid or repeated. */
export function parseTracestate(text: string): string {
  const members = text
    .split(',')
    .map(member => member.replace(/^[\t ]+|(?<![\t ])[\t ]+$/g, ''))
    .filter(member => member !== '')
  const keys = new Set(members.map(member => member.slice(0, member.indexOf('='))))
  const isValid =
    members.length <= MAX_MEMBERS && keys.size === members.length && members.every(member => MEMBER.test(member))
  return isValid ? members.join(',') : ''
}

const random = Buffer.allocUnsafeSlow(24 * 170)
let used = random.length

function hexOfRandom(bytes: number): string {
  if (used + bytes > random.length) {
    fillRandom(random)
    used = 0
  }
  return random.toString('hex', used, (used += bytes))
}

/** Returns 128 random bits as hexadecimal digits, which are never all zero in practice. */
export const newTraceId = (): string => hexOfRandom(16)

export const childOf = (parent: TraceContext, isSampled: boolean): TraceContext => ({
  ...parent,
  spanId: hexOfRandom(8),
  flags: isSampled ? parent.flags | SAMPLED : parent.flags & ~SAMPLED
})

export const rootOf = (traceId: string, isSampled: boolean): TraceContext => ({
  traceId,
  spanId: hexOfRandom(8),
  flags: isSampled ? SAMPLED : 0,
  tracestate: ''
})
