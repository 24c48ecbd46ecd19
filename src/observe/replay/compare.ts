import {diffLines} from 'diff'
import diffValues, {type Difference as ValueDifference} from 'microdiff'
import type {Difference} from '../../model/api.generated.ts'
import {exactText, parseExactly} from '../../model/exact-json.ts'
import type {Masking} from '../telemetry/recorder/masking.ts'
import {contentOf, headerValue, isStream, plainBody} from '../telemetry/recorder/call-content.ts'
import {FLAG} from '../telemetry/recorder/call-lines.ts'
import type {RecordedCall} from '../telemetry/recorder/call-recorder.ts'

/** Parts that differ each time: fields of JSON with `*` for each index, lines of text, or `body` for everything. */
export type Noise = ReadonlySet<string>

export interface Comparison {
  readonly differences: readonly Difference[]
  readonly count: number
  /** Names of the noise that was found, and left out of `differences`. */
  readonly leftOut: readonly string[]
}

const MAX_SHOWN = 50
const MAX_TEXT = 200
/** Factor by which times must differ, and by more than `MIN_MS`, to count as slower or faster. */
const TIMES = 5
const MIN_MS = 1000
/** Number of changes above which texts are not compared by lines, which would take long. */
const MAX_EDITS = 500
const WHOLE_BODY = 'body'

/** A difference, and the name that its place has in `Noise`. */
interface Found extends Difference {
  readonly noise: string
}

/** Compares two answers without noise. Values of secrets are masked. */
export function compare(before: CallAnswer, after: CallAnswer, noise: Noise, masking: Masking): Comparison {
  const bodies = differentBodies(before, after, masking)
  const isNoise = ({noise: name}: Found): boolean => noise.has(name) || noise.has(WHOLE_BODY)
  const left = bodies.filter(each => !isNoise(each)).map(({noise: _noise, ...each}) => each)
  const all = [...differentHeads(before, after), ...left]
  return {
    differences: all.slice(0, MAX_SHOWN),
    count: all.length,
    leftOut: [...new Set(bodies.filter(isNoise).map(({noise: name}) => name))]
  }
}

/** Returns the differences between two answers to the same request, for which the app was not changed in between. */
export const noiseOf = (first: CallAnswer, second: CallAnswer, masking: Masking): Noise =>
  new Set(differentBodies(first, second, masking).map(({noise}) => noise))

function differentHeads(before: CallAnswer, after: CallAnswer): readonly Difference[] {
  const found: Difference[] = []
  const add = (what: Difference['what'], was: string, is: string): void =>
    void found.push({what, path: '', before: was, after: is})
  if (before.status !== after.status) add('status', statusText(before), statusText(after))
  if (before.type !== after.type) add('type', before.type, after.type)
  const [less, more] = before.ms < after.ms ? [before.ms, after.ms] : [after.ms, before.ms]
  if (isStreamed(before, after)) return found
  if (more > TIMES * less && more - less > MIN_MS) add('time', msText(before.ms), msText(after.ms))
  return found
}

/** Whether both answers are streams, of which only the heads are compared. */
const isStreamed = (before: CallAnswer, after: CallAnswer): boolean => before.isStream && after.isStream

const statusText = ({status}: CallAnswer): string => (status === 0 ? 'no response' : status.toString())
const msText = (ms: number): string => `${Math.round(ms)} ms`

function differentBodies(before: CallAnswer, after: CallAnswer, masking: Masking): readonly Found[] {
  if (isStreamed(before, after)) return []
  if (before.bytes === after.bytes && before.body.equals(after.body)) return []
  if (before.isWhole && after.isWhole) {
    const found = differentValues(before, after, masking) ?? differentLines(before, after, masking)
    if (found !== undefined) return found
  }
  return [found(WHOLE_BODY, '', [sizeText(before), sizeText(after)])]
}

const sizeText = ({bytes, isWhole}: CallAnswer): string => `${bytes} bytes${isWhole ? '' : ', kept in part'}`

const found = (noise: string, path: string, [before, after]: readonly [string, string]): Found => ({
  what: 'body',
  path,
  before: cut(before),
  after: cut(after),
  noise
})

const shownLine = (line: string | undefined): string => (line === '' ? '(blank line)' : (line ?? ''))
const cut = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)

/** Compares two values. Returns undefined unless both are JSON. */
function differentValues(before: CallAnswer, after: CallAnswer, masking: Masking): readonly Found[] | undefined {
  try {
    const shown = [before, after].map(({body}) => wrapped(masking.body(body, 'application/json')))
    const all = diffValues(wrapped(before.body), wrapped(after.body), {cyclesFix: false})
    return all.map(each => valueFound(each, shown, masking))
  } catch {
    return undefined // not JSON, or nested too deeply
  }
}

/** Returns the JSON of a body within an object, since the body may be a single value. */
const wrapped = (body: Buffer): Record<string, unknown> => ({value: plain(parseExactly(body.toString()))})

/** Returns the fields without a prototype: `constructor` is a field like any other. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const each of Object.values(value)) plain(each)
  return Array.isArray(value) ? value : Object.setPrototypeOf(value, null)
}

/** Returns a difference for display. `shown`: both bodies, masked as a whole, since fields around a value decide whether it is secret. */
function valueFound(difference: ValueDifference, shown: readonly unknown[], masking: Masking): Found {
  const path = difference.path.slice(1)
  const textOf = (value: unknown, root: unknown): string => {
    if (value === undefined) return ''
    const text = exactText(value)
    const inner = difference.path.reduce(memberOf, root)
    const isHidden = inner === undefined || inner === masking.value(typeof value === 'string' ? value : text)
    return isHidden ? masking.value(text) : exactText(inner)
  }
  const {oldValue, value}: {readonly oldValue?: unknown; readonly value?: unknown} = difference
  const noise = path.map(name => (typeof name === 'number' ? '*' : name)).join('.')
  return found(noise || WHOLE_BODY, path.join('.'), [textOf(oldValue, shown[0]), textOf(value, shown[1])])
}

const memberOf = (value: unknown, name: string | number): unknown =>
  typeof value === 'object' ? (value as Readonly<Record<string, unknown>> | null)?.[name] : undefined

/** Compares two texts by lines. Undefined if one is not text, if they have little in common, or if only secrets differ. */
function differentLines(before: CallAnswer, after: CallAnswer, masking: Masking): readonly Found[] | undefined {
  const [was, is] = [before, after].map(({body, type}) => masking.body(body, type).toString())
  if (was === undefined || is === undefined || was === is || isBinary(was) || isBinary(is)) return undefined
  const parts = diffLines(was, is, {maxEditLength: MAX_EDITS})
  if (parts === undefined) return undefined
  const differences: Found[] = []
  let line = 1
  let removed: readonly string[] = []
  const flush = (added: readonly string[]): void => {
    const count = Math.max(removed.length, added.length)
    for (let at = 0; at < count; at++)
      differences.push(found(`line ${line + at}`, `line ${line + at}`, [shownLine(removed[at]), shownLine(added[at])]))
    line += added.length
    removed = []
  }
  for (const {value, added, removed: isRemoved, count} of parts) {
    const lines = value.replace(/\n$/, '').split('\n')
    if (isRemoved) removed = lines
    else if (added) flush(lines)
    else {
      flush([])
      line += count
    }
  }
  flush([])
  return differences
}

const isBinary = (text: string): boolean => text.includes('\uFFFD') || text.includes('\0')

/** The end of a call, for comparison with other answers to the same request. */
export interface CallAnswer {
  /** Status; 0 without an answer. */
  readonly status: number
  /** The media type without parameters, in lower case. */
  readonly type: string
  /** Decompressed, if it was kept whole. */
  readonly body: Buffer
  /** Bytes of the body as received. */
  readonly bytes: number
  readonly isWhole: boolean
  /** Whether the answer may be endless, so that its end does not count. */
  readonly isStream: boolean
  /** Duration of the call in ms, without the time in the queue. */
  readonly ms: number
  /** Reason of the failure; empty without one. */
  readonly failure: string
}

/** Maximum bytes to decompress; a longer body stays compressed. */
const MAX_BODY = 256 * 1024

/** Copies the compared parts, since the bytes of a recorded call are overwritten later. */
export function answerOf(call: RecordedCall): CallAnswer {
  const {response, failure} = contentOf(call)
  const isWhole = response.body.length === call.responseBytes && (call.flags & FLAG.open) === 0
  return {
    status: call.status,
    type: (headerValue(response.headers, 'content-type').split(';')[0] ?? '').trim().toLowerCase(),
    body: isWhole ? plainBody(response, MAX_BODY) : response.body,
    bytes: call.responseBytes,
    isWhole,
    isStream: isStream(response),
    ms: call.totalMs - call.waitedMs,
    failure
  }
}
