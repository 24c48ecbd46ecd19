import {fillRandom} from '../../../platform/random.ts'
import type {CallSpan} from '../../../model/call.ts'
import type {AppEvent, BatchEntry} from '../blocks/event-channel.ts'
import {formatTraceparent, formatTracestate} from '../../../observe/telemetry/tracing/trace-context.ts'

/** A later version may add parts of any visible characters. An event's text may have others, which must not become lines of a head. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]*)?$/

/** Whether a traceparent can be continued (W3C Trace Context §3.2): no id is all zeros, the version is not ff, and only versions after 00 may have more parts. */
export const isTraceparent = (value: string): boolean => {
  const match = TRACEPARENT.exec(value)
  return match !== null && (match[1] === undefined || !value.startsWith('00'))
}

const FRESH = `00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`
/** Offsets of the groups of eight digits in its two ids. */
const DIGITS = [3, 11, 19, 27, 36, 44]
const COUNT = 170
const random = new Uint32Array(DIGITS.length * COUNT)
const room = Buffer.from(FRESH.repeat(COUNT), 'latin1')
const HEX = Buffer.from('0123456789abcdef', 'latin1')
/** Random digits for new traces: one text for many costs less than one for each. */
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

/** A new trace, not sampled. */
export const freshTraceparent = (): string => {
  if (used === fresh.length) makeFresh()
  return fresh.slice(used, (used += FRESH.length))
}

/** Maximum characters of a tracestate; Dapr drops longer ones. */
const MAX_TRACESTATE = 512

/** The trace that a call belongs to. */
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

/** Returns the header lines of a span, the parent of further spans of the app and the caller. */
export const spanLines = ({context}: CallSpan): string =>
  traceLines({traceparent: formatTraceparent(context), tracestate: formatTracestate(context)})

/** Returns the parent of a workflow that a call starts: the call's span if it is sampled, else the caller's value ('': none). */
export const workParent = (own: string, sent: string): string => (isSampled(own) ? own : carriedTraceparent(sent))

/** The lowest bit of the flags: others may be set, too (W3C Trace Context, level 2). */
const isSampled = (traceparent: string): boolean => (Number.parseInt(traceparent.slice(53, 55), 16) & 1) === 1

/** Returns a trace as header lines, without empty parts. */
export const traceLines = ({traceparent, tracestate}: Trace): string =>
  (traceparent === '' ? '' : `Traceparent: ${traceparent}\r\n`) +
  (tracestate === '' ? '' : `Tracestate: ${tracestate}\r\n`)

/** Returns the trace headers for a request: those of its span; without a span its own trace, or a new one; without tracing those that were sent. */
export function linesOfTrace(span: CallSpan | undefined, isTracing: boolean, sent: Trace): string {
  if (span !== undefined) return spanLines(span)
  return traceLines(isTracing ? traceOf(sent.traceparent, sent.tracestate) : sent)
}

/** Returns the valid trace of a message unchanged, or an empty string. An id of ours would be a parent that is never exported. */
export const carriedTraceparent = (value: unknown): string =>
  typeof value === 'string' && isTraceparent(value) ? value : ''

/** Returns the trace of an event's delivery: that of its span, or the event's own; '': none. */
export const eventTraceparent = ({fields, traceparent}: Pick<AppEvent, 'fields' | 'traceparent'>): string =>
  traceparent ?? carriedTraceparent(fields['traceparent'] ?? fields['traceid'])

/** Returns the trace of a request with several events: that of the last event that has one (Dapr: pkg/runtime/subscription/postman). */
export const traceparentOfAll = (entries: readonly BatchEntry[]): string =>
  entries.reduce((trace, {event}) => eventTraceparent(event) || trace, '')
