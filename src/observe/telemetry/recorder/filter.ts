import type * as Api from '../../../model/api.generated.ts'
import {PROTOCOLS} from '../../../model/call-protocol.ts'
import {readTime} from '../../../model/duration.ts'
import {UserError} from '../../../model/errors.ts'
import {nearMiss} from '../../../model/near-miss.ts'
import {wallTime} from '../../../platform/wall-time.ts'
import {starPattern} from '../../../model/name-pattern.ts'
import {traceIdOf} from '../../../model/traceparent.ts'
import type {SpanStore} from '../otlp/span-store.ts'
import {MAX_PLAIN, methodOf, plainBody, type CallContent} from './call-content.ts'
import {calledActor} from './callee-kinds.ts'
import {CallLines, FLAG, heldMs, isFailed, tookMs, type CallLine} from './call-lines.ts'
import type {LineOfCall} from './call-recorder.ts'
import {ownOf} from '../../../model/own.ts'

type ReadContent = () => CallContent
/** Whether a call matches. Reads the bytes of the call only if the filter needs them. */
type CallFilter = (call: LineOfCall, content: ReadContent) => boolean

/** Flags of the API's marks: `is:` finds each of them. */
export const MARKS: Readonly<Record<Api.Call['marks'][number], number>> = {
  grpc: FLAG.grpc,
  resent: FLAG.resent,
  replay: FLAG.replay,
  shadow: FLAG.shadow,
  fault: FLAG.fault,
  woke: FLAG.woke,
  own: FLAG.own,
  ours: FLAG.ours
}

const STATES: Readonly<Record<string, number | CallFilter>> = {
  failed: isFailed,
  open: FLAG.open,
  waited: FLAG.waited,
  cut: FLAG.truncated,
  ...MARKS
}

/** `HTTP/1.1` may be written `http1.1`, or `http11`. */
const plainName = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')

/** Access to the spans of apps; undefined before the first span. */
type Spans = {readonly spans: Pick<SpanStore, 'hasSpan'> | undefined} | undefined

type Asks<T> = (wanted: T, call: LineOfCall, content: ReadContent) => boolean

/** Creates a field of filters whose value is read once, and compared with each call. */
const compares =
  <T>(read: (value: string) => T, asks: Asks<T>) =>
  (value: string): CallFilter => {
    const wanted = read(value)
    return (call, content) => asks(wanted, call, content)
  }

const FIELDS: Readonly<Record<string, (value: string, spans: Spans) => CallFilter>> = {
  from: compares(idMatcher, (matches, {edgeOf}) => matches(edgeOf.caller)),
  to: compares(idMatcher, (matches, {edgeOf}) => matches(edgeOf.callee)),
  app: compares(idMatcher, (matches, {edgeOf}) => matches(edgeOf.caller) || matches(edgeOf.callee)),
  method: value => (call, content) => methodOf(call, content).toUpperCase() === value.toUpperCase(),
  status: statusFilter,
  protocol: value => {
    const wanted = PROTOCOLS.find(each => plainName(each) === plainName(value))
    if (wanted === undefined)
      throw unknown(`the filter protocol:${value} is not known`, value, PROTOCOLS, each => `protocol:${each}`)
    return ({protocol, calleeProtocol}) => protocol === wanted || calleeProtocol === wanted
  },
  is: value => {
    const state = ownOf(STATES, value)
    if (state === undefined)
      throw unknown(`the filter is:${value} is not known`, value, Object.keys(STATES), each => `is:${each}`)
    return typeof state === 'number' ? ({flags}) => (flags & state) !== 0 : state
  },
  slower: compares(milliseconds('slower'), (ms, call) => tookMs(call) > ms),
  faster: compares(milliseconds('faster'), (ms, {totalMs, flags}) => (flags & FLAG.open) === 0 && totalMs < ms),
  waited: compares(milliseconds('waited'), (ms, call) => heldMs(call) > ms),
  since: compares(timeIn('since'), (at, {startedAt}) => wallTime.of(startedAt) >= at),
  // users see the start of a call in whole ms
  until: compares(timeIn('until'), (at, {startedAt}) => Math.floor(wallTime.of(startedAt)) <= at),
  path: compares(globMatcher, (matches, _, content) => matches(content().path)),
  actor: value => {
    const matches = starPattern(value.includes('/') ? value : `${value}/*`)
    return ({flags}, content) => {
      const {type = '', id = ''} = calledActor(content(), flags) ?? {}
      return type !== '' && matches(`${type}/${id}`)
    }
  },
  header: compares(
    value => value.toLowerCase(),
    (wanted, _, content) => `${content().request.head}\n${content().response.head}`.toLowerCase().includes(wanted)
  ),
  body: value => (_, content) => {
    const {request, response} = content()
    return [request, response].some(each => plainBody(each, MAX_PLAIN).includes(value))
  },
  trace: value => (_, content) => content().traceparent.includes(value),
  span: (value, spans) => (_, content) => spans?.spans?.hasSpan(traceIdOf(content().traceparent), value) === true
}

const LINE_FIELDS: ReadonlySet<string> = new Set(Object.keys(new CallLines(1).read(0)))

/** Returns a filter for a plain field of the record: `attempts:2`. Undefined for an unknown field. */
const lineFilter = (field: string): ((value: string) => CallFilter) | undefined =>
  LINE_FIELDS.has(field)
    ? value => call => String(call[field as keyof CallLine]).toLowerCase() === value.toLowerCase()
    : undefined

/** Fields that need the bytes of a call: they are compared last. */
const SLOW = new Set(['path', 'actor', 'header', 'body', 'trace', 'span'])

/**
 * Parses a filter: words that must all match. `to:payments is:failed -path:/health* slower:100ms charge`. A word without a field is
 * searched in path, caller, callee and error; `-` or `!` negates. In double quotes, blanks and `|` belong to the word, as does `\"`.
 * `spans`: for `span:`. Throws a UserError.
 */
export function readFilter(text: string, spans?: Spans): CallFilter {
  const terms = (text.match(/(?:"(?:\\"|[^"])*"|\S)+/g) ?? []).map(word => readTerm(word, spans))
  const inOrder = [...terms.filter(({isSlow}) => !isSlow), ...terms.filter(({isSlow}) => isSlow)]
  return (call, content) => {
    let read: CallContent | undefined
    return inOrder.every(({matches}) => matches(call, () => (read ??= content())))
  }
}

interface Term {
  readonly isSlow: boolean
  readonly matches: CallFilter
}

function readTerm(text: string, spans: Spans): Term {
  const word = text.startsWith('"') ? unquoted(text) : text
  if (/^[-!]./s.test(word)) {
    const {isSlow, matches} = readTerm(word.slice(1), spans)
    return {isSlow, matches: (call, content) => !matches(call, content)}
  }
  refuseOtherSigns(word)
  const [, field = '', value = ''] = /^([a-z][a-zA-Z]*):(.*)$/s.exec(word) ?? []
  if (field === '') return {isSlow: true, matches: anywhere(word.replaceAll('"', ''))}
  const make = ownOf(FIELDS, field) ?? lineFilter(field)
  if (make === undefined)
    throw unknown(`a filter has no field "${field}"`, field, Object.keys(FIELDS), each => `${each}:`)
  const texts = value.split(/\|(?=(?:[^"]*"[^"]*")*[^"]*$)/).map(unquoted)
  if (texts.join('') === '')
    throw new UserError(`the filter ${field}: lacks a value`, {explanation: `For example: ${EXAMPLE}`})
  const anyOf = texts.map(each => make(each, spans))
  return {isSlow: SLOW.has(field), matches: (call, content) => anyOf.some(matches => matches(call, content))}
}

/** Removes quotes around a text or its end (`span:db.statement="SELECT 1"`). Other quotes stay: `body:{"id":7}`, and `\"` within them. */
const unquoted = (text: string): string =>
  text.replace(/^([^"]*)"((?:\\"|[^"])*)"$/, (_, start: string, rest: string) => start + rest.replaceAll('\\"', '"'))

/** Throws a UserError for `to=orders` and `>1s`, which would be searched literally. */
function refuseOtherSigns(word: string): void {
  const [, field = '', value = ''] = /^([a-z]+)=(.+)$/s.exec(word) ?? []
  const [, sign = '', time = ''] = /^([<>])=?(\d+(?:\.\d+)?(?:ms|s|m))$/.exec(word) ?? []
  const meant = Object.hasOwn(FIELDS, field) ? `${field}:${value}` : `${sign === '<' ? 'faster' : 'slower'}:${time}`
  if (Object.hasOwn(FIELDS, field) || sign !== '')
    throw new UserError(`the filter ${word} is written ${meant}`, {explanation: `For example: ${EXAMPLE}`})
}

const EXAMPLE = 'to:payments is:failed path:/orders/* slower:100ms'

function anywhere(word: string): CallFilter {
  const wanted = word.toLowerCase()
  const isIn = (...texts: readonly string[]): boolean => texts.some(text => text.toLowerCase().includes(wanted))
  return ({edgeOf: {caller, callee}}, content) => isIn(caller, callee) || isIn(content().path, content().failure)
}

function statusFilter(value: string): CallFilter {
  if (/^[1-5]xx$/i.test(value)) return ({status}) => Math.floor(status / 100) === Number(value[0])
  const explanation = 'Write status:503, status:5xx or status:0 (no response).'
  if (!/^\d{1,3}$/.test(value)) throw new UserError(`the filter status:${value} names no status`, {explanation})
  // 0 is also gRPC's code of a call that has succeeded
  if (Number(value) === 0)
    return ({status, flags}) => status === 0 && (flags & (FLAG.grpc | FLAG.open | FLAG.failed)) !== FLAG.grpc
  return ({status}) => status === Number(value)
}

function milliseconds(field: string): (value: string) => number {
  return value => {
    const [, number = '', unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(value) ?? []
    const explanation = `Write ${field}:250ms, ${field}:2s or ${field}:1m.`
    if (number === '') throw new UserError(`the filter ${field}:${value} names no duration`, {explanation})
    return Number(number) * (unit === 'm' ? 60_000 : unit === 's' ? 1000 : 1)
  }
}

/** Parses a time, to ms since 1970. */
function timeIn(field: string): (value: string) => number {
  return value => {
    const at = readTime(value)
    if (Number.isFinite(at)) return at
    const explanation = `Write ${field}:2026-01-31T14:46:28Z.`
    throw new UserError(`the filter ${field}:${value} names no time`, {explanation})
  }
}

/** Compiles a pattern in which `*` matches anything. */
function globMatcher(glob: string): (text: string) => boolean {
  if (!glob.includes('*')) return text => text.includes(glob)
  const matches = starPattern(glob)
  return text => matches(text) || matches(text.replace(/\?.*$/s, ''))
}

function idMatcher(value: string): (id: string) => boolean {
  if (value === 'any' || value === '*') return () => true
  return value.includes('*') ? globMatcher(value) : id => id === value
}

/** Returns the error for an unknown word. `shown`: writes a known word as filters do. */
function unknown(what: string, word: string, known: readonly string[], shown: (word: string) => string): UserError {
  const near = nearMiss(word, known)
  const explanation = `Known: ${known.map(shown).join(' ')} – for example: ${EXAMPLE}`
  return new UserError(near === '' ? what : `${what}: did you mean ${shown(near)}?`, {explanation})
}
