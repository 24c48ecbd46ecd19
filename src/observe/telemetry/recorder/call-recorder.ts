/**
 * recorder/ keeps the latest calls of a run in a fixed amount of memory: numbers in lines of one length, bytes on a tape that is
 * overwritten from its beginning. Recording costs a call well below a microsecond. The system assigns memory at the first write of a page.
 */
import type {
  AdmittedTo,
  Call,
  CallObserver,
  CallRecord,
  ComponentUse,
  Direction,
  HeadText,
  OwnResponse,
  SentRequest
} from '../../../model/call.ts'
import {ByteTape, PIECE, type TapePiece, type PieceKind} from './byte-tape.ts'
import {CallLines, FLAG, type CallLine} from './call-lines.ts'
import {ComponentUses} from './component-uses.ts'
import {Edges, type BodyBytesOf, type Edge} from './edges.ts'
import type {ExpectedReplays} from './expected-replays.ts'
import type {SpanStore} from '../otlp/span-store.ts'
import {KeptRequests} from './kept-requests.ts'

const LINES = 32_768
const TAPE_BYTES = 8 * 1024 * 1024

export interface LineOfCall extends CallLine {
  readonly edgeOf: Edge
}

export interface RecordedCall extends LineOfCall {
  /** Pieces of the tape; empty if they were overwritten. */
  readonly pieces: readonly TapePiece[]
}

/** Records every call of a run from the reports of the gateway. A call whose number is 0 or missing is not recorded. */
export class CallRecorder implements CallObserver {
  readonly edges: Edges
  /** Edges from publishing apps to topics, named like the callers of deliveries: `pubsub/orders`. Publishing is not a call. */
  readonly publishers: Edges
  readonly uses: ComponentUses
  /** Spans from the OpenTelemetry SDKs of apps. Undefined before the first. */
  spans: SpanStore | undefined
  /** Replays that are expected as calls, which do not count in the edges; undefined: none. */
  replays: ExpectedReplays | undefined
  readonly #lines: CallLines
  readonly #tape: ByteTape
  readonly #kept: KeptRequests
  readonly #listeners = new Set<(number: number) => void>()
  readonly #unrecorded = {begun: 0, ended: 0}

  constructor(bodyBytesOf: BodyBytesOf, lines = LINES, tapeBytes = TAPE_BYTES) {
    this.edges = new Edges(bodyBytesOf)
    this.publishers = new Edges(bodyBytesOf)
    this.uses = new ComponentUses(app => (bodyBytesOf(app) ?? 0) >= 0)
    this.#lines = new CallLines(lines)
    this.#tape = new ByteTape(tapeBytes)
    this.#kept = new KeptRequests(this.#lines, this.#tape)
  }

  /** Reads again which apps are recorded, after an edit of the template or when an app joins the run. */
  refresh(): void {
    this.edges.refresh()
    this.uses.refresh()
  }

  /** Number of the latest call; 0 before the first. */
  get last(): number {
    return this.#lines.last
  }

  started(call: Call, request: SentRequest, startedAt: number): void {
    const replay = this.replays?.find(this.#edgeOf(call).caller, call, request)
    if (replay !== undefined && call.isPublished === true) call.caller = replay.caller
    const edge = this.#edgeOf(call)
    if (edge.bodyBytes < 0) return void this.#unrecorded.begun++
    const flags = replay === undefined ? flagsOf(call, request) : flagsOf(call, request) | FLAG.replay
    const number = this.#lines.begin(startedAt, edge.index, request, flags)
    call.number = number
    if (number === 0) return void this.#unrecorded.begun++
    replay?.started(number)
    const {text, size = 0} = request
    if (text === undefined) this.#addText(number, PIECE.requestHead, writtenHead(call, request))
    else this.#addText(number, PIECE.requestHead, text, size)
  }

  held({number = 0, fault, hasWoken}: Call, reason: string): void {
    if (number === 0) return
    const edge = this.edges.at(this.#lines.read(number).edge)
    if (edge !== undefined && (this.#lines.flags(number) & (FLAG.waited | FLAG.replay)) === 0) edge.waited++
    const more = (fault === undefined ? 0 : FLAG.fault) | (hasWoken === true ? FLAG.woke : 0)
    this.#lines.flag(number, FLAG.waited | more)
    this.#addText(number, PIECE.waited, latin1(reason))
  }

  /** Corrects the caller of a call. Drops the call if its caller is not recorded. */
  attributed(call: Call): void {
    const {number = 0} = call
    const lines = this.#lines
    if (!lines.has(number)) return
    const [edge, before] = [this.#edgeOf(call), this.edges.at(lines.read(number).edge)]
    const waited = (lines.flags(number) & (FLAG.waited | FLAG.replay)) === FLAG.waited ? 1 : 0
    if (before !== undefined) before.waited -= waited
    edge.waited += waited
    if (edge.bodyBytes >= 0) return lines.moveTo(number, edge.index)
    this.#unrecorded.begun++
    if ((lines.flags(number) & FLAG.open) === 0) this.#unrecorded.ended++
    this.#kept.forget(number)
    lines.drop(number)
    call.number = 0
  }

  admitted({number = 0}: Call, to: AdmittedTo, waitedMs: number): void {
    if (number > 0) this.#lines.admit(number, to, waitedMs)
  }

  /** Adds head and body as one piece if both are in one text. */
  responded(call: Call, {text, size}: HeadText, body = ''): void {
    const {number = 0} = call
    if (number === 0) return
    if (body === '' || text.length !== size + body.length) {
      this.#addText(number, PIECE.responseHead, text, size)
      return this.text(call, 'response', body)
    }
    const at = this.#addText(number, PIECE.responseHead, text, size + this.#room(call, 'response', body.length))
    this.#tape.split(at, size)
  }

  replied(call: Call, {head, body}: OwnResponse): void {
    const {number = 0} = call
    if (number === 0) return
    this.#lines.flag(number, FLAG.ours)
    this.#addText(number, PIECE.responseHead, head)
    this.text(call, 'response', body)
  }

  text(call: Call, direction: Direction, text: string): void {
    const {number = 0} = call
    if (number === 0 || text === '') return
    const room = this.#room(call, direction, text.length)
    if (room > 0) this.#addText(number, kindOf(direction), text, room)
  }

  bytes(call: Call, direction: Direction, buffer: Buffer, from: number, to: number): void {
    const {number = 0} = call
    if (number === 0 || to <= from) return
    const room = this.#room(call, direction, to - from)
    if (room > 0) this.#addBytes(number, kindOf(direction), buffer, [from, from + room])
  }

  roomFor(call: Call): number {
    return (call.number ?? 0) === 0 ? 0 : this.#edgeOf(call).bodyBytes
  }

  ended(record: CallRecord): void {
    const {call, status, grpcStatus, attempts, requestBytes, failure, trace} = record
    const {number = 0} = call
    if (number === 0) return void this.#unrecorded.ended++
    if (trace !== '') this.#addText(number, PIECE.trace, trace)
    if (failure !== '') this.#addText(number, PIECE.failure, latin1(failure))
    const flags =
      (failure !== '' || status === 0 ? FLAG.failed : 0) |
      (attempts > 1 ? FLAG.resent : 0) |
      (record.isCutShort ? FLAG.truncated : 0) |
      (call.fault === undefined ? 0 : FLAG.fault)
    // bytes of a tunnel are counted, but not kept
    if (call.isTunnel === true) this.#lines.countBytes(number, true, requestBytes)
    this.#lines.end(number, flags, grpcStatus ?? status, record)
    for (const {kind, bytes} of this.#kept.take(number)) this.#addBytes(number, kind, bytes, [0, bytes.length])
    if ((this.#lines.flags(number) & FLAG.replay) === 0) this.#countIn(this.#edgeOf(call), record)
    if (this.#listeners.size > 0) for (const listener of this.#listeners) listener(number)
  }

  #countIn(edge: Edge, record: CallRecord): void {
    const {call, status, grpcStatus, requestBytes, responseBytes, startedAt, endedAt, failure} = record
    edge.requestBytes += requestBytes
    edge.responseBytes += responseBytes
    edge.promptTokens += call.tokens?.prompt ?? 0
    edge.completionTokens += call.tokens?.completion ?? 0
    const hasFailed = failure !== '' || status === 0 || status >= 500 || (grpcStatus ?? 0) > 0
    edge.count(endedAt, endedAt - startedAt, hasFailed)
  }

  used(use: ComponentUse): void {
    const {app, block, component, operation, startedAt, totalMs, failure} = use
    this.uses.add(use)
    if (block !== 'pubsub' || !this.uses.isRecorded(app)) return
    this.publishers.between(app, `${component}/${operation}`).count(startedAt + totalMs, totalMs, failure !== '')
  }

  /** Calls the listener with the number of each ended call. Returns a function that removes the listener, which must not throw. */
  onEnded(listener: (number: number) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Returns the numbers of kept calls before this one, the latest first. */
  numbers(before?: number): readonly number[] {
    return this.#lines.numbers(before)
  }

  open(): readonly number[] {
    return this.#lines.open()
  }

  /** Counts of unrecorded calls: begun so far, and open. */
  get unrecorded(): {readonly begun: number; readonly open: number} {
    const {begun, ended} = this.#unrecorded
    return {begun, open: begun - ended}
  }

  /** Returns the line of a call. Undefined if the line was overwritten. */
  line(number: number): LineOfCall | undefined {
    if (!this.#lines.has(number)) return undefined
    const line = this.#lines.read(number)
    const edgeOf = this.edges.at(line.edge)
    return edgeOf && Object.assign(line, {edgeOf})
  }

  /** Returns a call with its bytes. Undefined if its line was overwritten. */
  call(number: number): RecordedCall | undefined {
    const line = this.line(number)
    if (line === undefined) return undefined
    const pieces = this.#tape.pieces(number, this.#lines.firstPiece(number))
    return {...line, pieces: [...this.#kept.of(number), ...pieces]}
  }

  #edgeOf({from, caller, callee}: Call): Edge {
    return this.edges.between(from ?? caller, callee)
  }

  /** Returns how many of these bytes of a body to keep; counts all of them. */
  #room(call: Call, direction: Direction, bytes: number): number {
    const {number = 0} = call
    const before = this.#lines.countBytes(number, direction === 'request', bytes)
    const room = Math.max(0, Math.min(bytes, this.#edgeOf(call).bodyBytes - before))
    if (room < bytes) this.#lines.flag(number, FLAG.truncated)
    return room
  }

  #addBytes(number: number, kind: PieceKind, buffer: Buffer, range: readonly [number, number]): void {
    this.#kept.save()
    const previous = this.#lines.lastPiece(number)
    this.#lines.addPiece(number, this.#tape.addBytes(number, kind, buffer, range, previous), !this.#tape.has(previous))
  }

  /** Adds the first `length` characters as a piece. Returns its position. */
  #addText(number: number, kind: PieceKind, text: string, length = text.length): number {
    this.#kept.save()
    const previous = this.#lines.lastPiece(number)
    const at = this.#tape.addText(number, kind, text, length, previous)
    this.#lines.addPiece(number, at, !this.#tape.has(previous))
    return at
  }
}

/** Returns the head of a request that did not arrive as a text, in the form of HTTP/1.1. */
function writtenHead(call: Call, {method, target = call.path, protocol, lines}: SentRequest): string {
  const version = call.isGrpc === true || protocol === 'gRPC' ? '2' : '1.1'
  return `${method} ${target} HTTP/${version}\r\n${lines}\r\n`
}

const kindOf = (direction: Direction): PieceKind => (direction === 'request' ? PIECE.requestBody : PIECE.responseBody)

const flagsOf = ({isOwn, isShadow, isGrpc, isPublished}: Call, {protocol}: SentRequest): number =>
  (isShadow === true ? FLAG.shadow : 0) |
  (isPublished === true ? FLAG.published : 0) |
  (isOwn === true ? FLAG.own : 0) |
  (protocol === 'gRPC' || isGrpc === true ? FLAG.grpc : 0)

/** Returns a text with one character for each byte of its UTF-8, as the tape stores texts. */
// eslint-disable-next-line no-control-regex
const latin1 = (text: string): string => (/[^\0-\x7f]/.test(text) ? Buffer.from(text).toString('latin1') : text)
