import {fillRandom} from '../../../platform/random.ts'
import type {CallSpan} from '../../../model/call.ts'
import type {AppEvent, BatchEntry} from '../blocks/event-channel.ts'
import {formatTraceparent, formatTracestate} from '../../../observe/telemetry/tracing/trace-context.ts'

/** Matches a traceparent. A later version may add parts of visible characters. Others, which an event may have, would break a header line. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]*)?$/

/** Whether a traceparent is valid (W3C Trace Context §3.2): no id is all zeros, the version is not ff, and only versions after 00 may have more parts. */
export const isTraceparent = (value: string): boolean => {
  const match = TRACEPARENT.exec(value)
  return match !== null && (match[1] === undefined || !value.startsWith('00'))
}

const FRESH = `00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`
/** Offsets of the groups of eight digits in the two ids of a traceparent. */
const DIGITS = [3, 11, 19, 27, 36, 44]
const COUNT = 170
const random = new Uint32Array(DIGITS.length * COUNT)
const room = Buffer.from(FRESH.repeat(COUNT), 'latin1')
const HEX = Buffer.from('0123456789abcdef', 'latin1')
/** Text of many new traceparents, since one text for many costs less than one for each. `used`: characters that were taken from it. */
let fresh = ''
let used = 0

function makeFresh(): void {
  fillRandom(random)
  let word = 0
  for (let trace = 0; trace < room.length; trace += FRESH.length)
    for (const digits of DIGITS) writeHex(trace + digits, random[word++] ?? 0)
  fresh = room.toString('latin1')
  used = 0
}

function writeHex(start: number, word: number): void {
  let rest = word
  for (let at = start; at < start + 8; at++) {
    room[at] = HEX[rest & 15] ?? 0
    rest >>>= 4
  }
}

/** Returns the traceparent of a new trace, not sampled. */
export const freshTraceparent = (): string => {
  if (used === fresh.length) makeFresh()
  return fresh.slice(used, (used += FRESH.length))
}

/** Maximum characters of a tracestate. Dapr drops longer ones. */
const MAX_TRACESTATE = 512

export interface Trace {
  readonly traceparent: string
  /** '': none. */
  readonly tracestate: string
}

/** Returns the caller's trace unchanged, or a new one without a valid traceparent. A tracestate alone has no meaning and is dropped. */
export const traceOf = (traceparent: string, tracestate: string): Trace =>
  traceparent !== '' && isTraceparent(traceparent)
    ? {traceparent, tracestate: tracestate.length <= MAX_TRACESTATE ? tracestate : ''}
    : {traceparent: freshTraceparent(), tracestate: ''}

/** Returns the trace headers that make a span the parent of the receiver's spans. */
export const spanLines = ({context}: CallSpan): string =>
  traceLines({traceparent: formatTraceparent(context), tracestate: formatTracestate(context)})

/** Returns the traceparent under which a call starts a workflow: `own`, of the call's span, if sampled, else `sent`, the caller's; '': none. */
export const workParent = (own: string, sent: string): string => (isSampled(own) ? own : carriedTraceparent(sent))

/** Whether a trace is sampled, by the lowest bit of its flags. Other bits may be set, too (W3C Trace Context, level 2). */
const isSampled = (traceparent: string): boolean => (Number.parseInt(traceparent.slice(53, 55), 16) & 1) === 1

/** Returns a trace as header lines, without empty parts. */
export const traceLines = ({traceparent, tracestate}: Trace): string =>
  (traceparent === '' ? '' : `Traceparent: ${traceparent}\r\n`) +
  (tracestate === '' ? '' : `Tracestate: ${tracestate}\r\n`)

/** Returns the trace headers to pass on: of the span; without a span of the caller's trace or a new one; without tracing as the caller sent them. */
export function linesOfTrace(span: CallSpan | undefined, isTracing: boolean, sent: Trace): string {
  if (span !== undefined) return spanLines(span)
  return traceLines(isTracing ? traceOf(sent.traceparent, sent.tracestate) : sent)
}

/** Returns the traceparent of a message; '': it has no valid one. A new one would name a parent span that is never exported. */
export const carriedTraceparent = (value: unknown): string =>
  typeof value === 'string' && isTraceparent(value) ? value : ''

/** Returns the traceparent for an event's delivery: of the delivery's span, else the event's own; '': none. */
export const eventTraceparent = ({fields, traceparent}: Pick<AppEvent, 'fields' | 'traceparent'>): string =>
  traceparent ?? carriedTraceparent(fields['traceparent'] ?? fields['traceid'])

/** Returns the traceparent for a batch of events: of the last event that has one (Dapr: pkg/runtime/subscription/postman); '': none. */
export const traceparentOfAll = (entries: readonly BatchEntry[]): string =>
  entries.reduce((trace, {event}) => eventTraceparent(event) || trace, '')
