// observe/telemetry/recorder/ keeps the latest calls of a run in a fixed amount of memory: numbers in lines of one length, bytes on a tape that
// is written round and round. Recording costs a call well below a microsecond, and nothing before the first one.
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

/** Keeps the gateway's reports of every call. */
export class CallRecorder implements CallObserver {
  readonly edges: Edges
  /** Edges from publishers to topics, under the callers' names of deliveries: `pubsub/orders`. Publishing is not a call. */
  readonly publishers: Edges
  readonly uses: ComponentUses
  /** Spans from the OpenTelemetry SDKs of apps; undefined before the first. */
  spans: SpanStore | undefined
  /** Set during replays, which do not count in the edges. */
  replays: ExpectedReplays | undefined
  readonly #lines: number | undefined
  readonly #tapeBytes: number | undefined
  readonly #listeners = new Set<(number: number) => void>()
  readonly #unrecorded = {begun: 0, ended: 0}
  /** Set by the first call. */
  #memory: {readonly lines: CallLines; readonly tape: ByteTape; readonly kept: KeptRequests} | undefined

  constructor(bodyBytesOf: BodyBytesOf, lines?: number, tapeBytes?: number) {
    this.#lines = lines
    this.#tapeBytes = tapeBytes
    this.edges = new Edges(bodyBytesOf)
    this.publishers = new Edges(bodyBytesOf)
    this.uses = new ComponentUses(app => (bodyBytesOf(app) ?? 0) >= 0)
  }

  /** Reads again which apps are recorded, after an edit or when an app joins. */
  refresh(): void {
    this.edges.refresh()
    this.uses.refresh()
  }

  /** Number of the latest call; 0 before the first. */
  get last(): number {
    return this.#memory?.lines.last ?? 0
  }

  started(call: Call, request: SentRequest, startedAt: number): void {
    const replay = this.replays?.find(this.#edgeOf(call).caller, call, request)
    if (replay !== undefined && call.isPublished === true) call.caller = replay.caller
    const edge = this.#edgeOf(call)
    if (edge.bodyBytes < 0) return void this.#unrecorded.begun++
    const {lines} = (this.#memory ??= this.#allocate())
    const flags = replay === undefined ? flagsOf(call, request) : flagsOf(call, request) | FLAG.replay
    const number = lines.begin(startedAt, edge.index, request, flags)
    call.number = number
    if (number === 0) return void this.#unrecorded.begun++
    replay?.started(number)
    const {text, size = 0} = request
    if (text !== undefined) return void this.#addText(number, PIECE.requestHead, text, size)
    const target = request.target ?? call.path
    const version = call.isGrpc === true || request.protocol === 'gRPC' ? '2' : '1.1'
    const head = `${request.method} ${target} HTTP/${version}\r\n${request.lines}\r\n`
    this.#addText(number, PIECE.requestHead, head, head.length)
  }

  held({number = 0, fault, hasWoken}: Call, reason: string): void {
    const {lines} = this.#memory ?? {}
    if (lines === undefined || number === 0) return
    const edge = this.edges.at(lines.read(number).edge)
    if (edge !== undefined && (lines.flags(number) & (FLAG.waited | FLAG.replay)) === 0) edge.waited++
    lines.flag(number, FLAG.waited | (fault === undefined ? 0 : FLAG.fault) | (hasWoken === true ? FLAG.woke : 0))
    this.#addText(number, PIECE.waited, latin1(reason), -1)
  }

  attributed(call: Call): void {
    const {number = 0} = call
    const {lines, kept} = this.#memory ?? {}
    if (lines?.has(number) !== true) return
    const [edge, before] = [this.#edgeOf(call), this.edges.at(lines.read(number).edge)]
    const waited = (lines.flags(number) & (FLAG.waited | FLAG.replay)) === FLAG.waited ? 1 : 0
    if (before !== undefined) before.waited -= waited
    edge.waited += waited
    if (edge.bodyBytes >= 0) return lines.moveTo(number, edge.index)
    // the caller is not recorded
    this.#unrecorded.begun++
    if ((lines.flags(number) & FLAG.open) === 0) this.#unrecorded.ended++
    kept?.forget(number)
    lines.drop(number)
    call.number = 0
  }

  admitted({number = 0}: Call, to: AdmittedTo, waitedMs: number): void {
    if (number > 0) this.#memory?.lines.admit(number, to, waitedMs)
  }

  responded(call: Call, {text, size}: HeadText, body = ''): void {
    const {number = 0} = call
    if (number === 0) return
    if (body === '' || text.length !== size + body.length) {
      this.#addText(number, PIECE.responseHead, text, size)
      return this.text(call, 'response', body)
    }
    const at = this.#addText(number, PIECE.responseHead, text, size + this.#room(call, 'response', body.length))
    this.#memory?.tape.split(at, size)
  }

  replied(call: Call, {head, body}: OwnResponse): void {
    const {number = 0} = call
    if (number === 0) return
    this.#memory?.lines.flag(number, FLAG.ours)
    this.#addText(number, PIECE.responseHead, head, head.length)
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
    const {call, status, grpcStatus, attempts, requestBytes, responseBytes, startedAt, endedAt, failure, trace} = record
    const {lines, kept} = this.#memory ?? {}
    const {number = 0} = call
    if (lines === undefined || number === 0) return void this.#unrecorded.ended++
    if (trace !== '') this.#addText(number, PIECE.trace, trace, trace.length)
    if (failure !== '') this.#addText(number, PIECE.failure, latin1(failure), -1)
    const isFailed = failure !== '' || status === 0 || status >= 500 || (grpcStatus ?? 0) > 0
    const flags =
      (failure !== '' || status === 0 ? FLAG.failed : 0) |
      (attempts > 1 ? FLAG.resent : 0) |
      (record.isCutShort ? FLAG.truncated : 0) |
      (call.fault === undefined ? 0 : FLAG.fault)
    // bytes of a tunnel are counted, but not kept
    if (call.isTunnel === true) lines.countBytes(number, true, requestBytes)
    lines.end(number, flags, grpcStatus ?? status, record)
    for (const {kind, bytes} of kept?.take(number) ?? []) this.#addBytes(number, kind, bytes, [0, bytes.length])
    if ((lines.flags(number) & FLAG.replay) === 0) {
      const edge = this.#edgeOf(call)
      edge.requestBytes += requestBytes
      edge.responseBytes += responseBytes
      edge.promptTokens += call.tokens?.prompt ?? 0
      edge.completionTokens += call.tokens?.completion ?? 0
      edge.count(endedAt, endedAt - startedAt, isFailed)
    }
    if (this.#listeners.size > 0) for (const listener of this.#listeners) listener(number)
  }

  used(use: ComponentUse): void {
    const {app, block, component, operation, startedAt, totalMs, failure} = use
    this.uses.add(use)
    if (block !== 'pubsub' || !this.uses.isRecorded(app)) return
    this.publishers.between(app, `${component}/${operation}`).count(startedAt + totalMs, totalMs, failure !== '')
  }

  /** Calls the listener with the number of each call when it is over; the result ends that. The listener must not throw. */
  onEnded(listener: (number: number) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Returns the numbers of kept calls before this one, the latest first. */
  numbers(before?: number): readonly number[] {
    return this.#memory?.lines.numbers(before) ?? []
  }

  open(): readonly number[] {
    return this.#memory?.lines.open() ?? []
  }

  /** Numbers of unrecorded calls: begun and open. */
  get unrecorded(): {readonly begun: number; readonly open: number} {
    const {begun, ended} = this.#unrecorded
    return {begun, open: begun - ended}
  }

  /** The line of a call; undefined: it is not kept. */
  line(number: number): LineOfCall | undefined {
    const {lines} = this.#memory ?? {}
    if (lines?.has(number) !== true) return undefined
    const line = lines.read(number)
    const edgeOf = this.edges.at(line.edge)
    return edgeOf && Object.assign(line, {edgeOf})
  }

  /** A call with its bytes; undefined: it is not kept. */
  call(number: number): RecordedCall | undefined {
    const line = this.line(number)
    const {lines, tape, kept} = this.#memory ?? {}
    if (line === undefined || lines === undefined || tape === undefined) return undefined
    const aside = kept?.of(number) ?? []
    return {...line, pieces: [...aside, ...tape.pieces(number, lines.firstPiece(number))]}
  }

  #allocate(): {lines: CallLines; tape: ByteTape; kept: KeptRequests} {
    const lines = new CallLines(this.#lines ?? LINES)
    const tape = new ByteTape(this.#tapeBytes ?? TAPE_BYTES)
    return {lines, tape, kept: new KeptRequests(lines, tape)}
  }

  #edgeOf({from, caller, callee}: Call): Edge {
    return this.edges.between(from ?? caller, callee)
  }

  /** Returns how many of these bytes of a body to keep; counts all of them. */
  #room(call: Call, direction: Direction, bytes: number): number {
    const {number = 0} = call
    const {lines} = this.#memory ?? {}
    if (lines === undefined) return 0
    const before = lines.countBytes(number, direction === 'request', bytes)
    const room = Math.max(0, Math.min(bytes, this.#edgeOf(call).bodyBytes - before))
    if (room < bytes) lines.flag(number, FLAG.truncated)
    return room
  }

  #addBytes(number: number, kind: PieceKind, buffer: Buffer, range: readonly [number, number]): void {
    const {lines, tape, kept} = this.#memory ?? {}
    if (lines === undefined || tape === undefined) return
    kept?.save()
    const previous = lines.lastPiece(number)
    lines.addPiece(number, tape.addBytes(number, kind, buffer, range, previous), !tape.has(previous))
  }

  /** `length` -1: the whole text. The result is the position of the piece. */
  #addText(number: number, kind: PieceKind, text: string, length: number): number {
    const {lines, tape, kept} = this.#memory ?? {}
    if (lines === undefined || tape === undefined) return -1
    kept?.save()
    const previous = lines.lastPiece(number)
    const at = tape.addText(number, kind, text, length < 0 ? text.length : length, previous)
    lines.addPiece(number, at, !tape.has(previous))
    return at
  }
}

const kindOf = (direction: Direction): PieceKind => (direction === 'request' ? PIECE.requestBody : PIECE.responseBody)

const flagsOf = ({isOwn, isShadow, isGrpc, isPublished}: Call, {protocol}: SentRequest): number =>
  (isShadow === true ? FLAG.shadow : 0) |
  (isPublished === true ? FLAG.published : 0) |
  (isOwn === true ? FLAG.own : 0) |
  (protocol === 'gRPC' || isGrpc === true ? FLAG.grpc : 0)

/** Words of ours as the bytes of UTF-8, one character each. */
// eslint-disable-next-line no-control-regex
const latin1 = (text: string): string => (/[^\0-\x7f]/.test(text) ? Buffer.from(text).toString('latin1') : text)
