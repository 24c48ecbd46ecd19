import {PROTOCOLS, type Protocol} from '../../../model/call-protocol.ts'
import type {AdmittedTo, CallRecord, SentRequest} from '../../../model/call.ts'

/** Bits of the flags of a call. */
export const FLAG = {
  /** Set while the call is under way. */
  open: 1,
  admitted: 2,
  waited: 4,
  /** Pillion sent the response, not the callee. */
  ours: 8,
  /** The call failed: the callee sent no response, or its response broke off. */
  failed: 16,
  resent: 32,
  /** Part of a body is not kept. */
  truncated: 64,
  shadow: 128,
  replay: 256,
  grpc: 512,
  /** A request of the sidecar to its own app, such as an event, or one of Dapr's requests. */
  own: 1024,
  fault: 2048,
  /** The call arrived at the port of its callee, not through the sidecar of its caller. */
  published: 4096,
  /** Set if the callee was asleep and was started for the call. */
  woke: 8192
} as const

/** Maximum time to connect, in ms, that counts as the use of an open connection. */
const KEPT_MS = 0.05

/** Encodes a time in ms, of up to an hour, in 16 bits; its error is below a thousandth. */
const packed = (ms: number): number => Math.min(0xff_ff, Math.round(Math.log2(1 + ms * 1000) * 2048))
const unpacked = (bits: number): number => (2 ** (bits / 2048) - 1) / 1000

/** Words of a line, 32 bits each: one cache line of most processors. */
const LINE_WORDS = 16
/** Indexes of 64-bit numbers, which fill the first six words of a line. Pieces are positions on the byte tape; -1: none. */
const DOUBLE = {startedAt: 0, firstPiece: 1, lastPiece: 2} as const
/** Indexes of 32-bit integers in a line. */
const WORD = {
  number: 6,
  /** Edge in the upper 16 bits, status in the lower. */
  edgeStatus: 7,
  /** Time to connect to the callee (`packed`) in the upper 16 bits, flags in the lower. */
  connectFlags: 8,
  requestBytes: 9,
  responseBytes: 10,
  pid: 11,
  /** Method in the upper 8 bits, then the protocols of caller and callee with 4 bits each; attempts in the lower 16. */
  about: 12
} as const
const FLOAT = {waitedMs: 13, firstByteMs: 14, totalMs: 15} as const
const LOW = 0xff_ff
const HIGH = 0xff_ff_00_00
const MAX_WORD = 0xff_ff_ff_ff
const VERBS = ['', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH', 'CONNECT', 'TCP']

/** A line of numbers, of fixed length, for each of the latest calls. The line of an open call stays: call numbers that fall on it are skipped. */
export class CallLines {
  /** Number of lines; a power of two. */
  readonly count: number
  readonly #mask: number
  readonly #doubles: Float64Array
  readonly #floats: Float32Array
  readonly #words: Uint32Array
  /** A bit for each line, set while its call is open: finds open calls without reading all lines. */
  readonly #open: Uint32Array
  #last = 0

  constructor(count: number) {
    this.count = count
    this.#mask = count - 1
    const buffer = new ArrayBuffer(count * LINE_WORDS * 4)
    this.#doubles = new Float64Array(buffer)
    this.#floats = new Float32Array(buffer)
    this.#words = new Uint32Array(buffer)
    this.#open = new Uint32Array(Math.ceil(count / 32))
  }

  /** Number of the latest call; 0 before the first. */
  get last(): number {
    return this.#last
  }

  /** Begins the line of a new call. Returns its number, or 0 if open calls occupy all lines. */
  begin(startedAt: number, edge: number, {method, protocol}: SentRequest, flags: number): number {
    let number = this.#last + 1
    for (let tries = 1; this.#isOpen(number); tries++, number++) if (tries === this.count) return 0
    this.#last = number
    this.#setOpen(number, true)
    const at = this.#at(number)
    this.#words[at + WORD.requestBytes] = 0
    this.#words[at + WORD.responseBytes] = 0
    this.#words[at + WORD.pid] = 0
    this.#floats[at + FLOAT.waitedMs] = 0
    this.#floats[at + FLOAT.firstByteMs] = 0
    this.#floats[at + FLOAT.totalMs] = 0
    this.#doubles[at / 2 + DOUBLE.startedAt] = startedAt
    this.#doubles[at / 2 + DOUBLE.firstPiece] = -1
    this.#doubles[at / 2 + DOUBLE.lastPiece] = -1
    this.#words[at + WORD.number] = number
    this.#words[at + WORD.edgeStatus] = edge << 16
    this.#words[at + WORD.connectFlags] = flags | FLAG.open
    this.#words[at + WORD.about] = (VERBS.indexOf(method) << 24) | (PROTOCOLS.indexOf(protocol) << 20)
    return number
  }

  /** Moves a call to another edge, since its caller was corrected. */
  moveTo(number: number, edge: number): void {
    this.#words[this.#at(number) + WORD.edgeStatus] = (edge << 16) | (this.#word(number, WORD.edgeStatus) & LOW)
  }

  /** Removes a call that is not to be kept. */
  drop(number: number): void {
    this.#setOpen(number, false)
    this.#words[this.#at(number) + WORD.number] = 0
  }

  has(number: number): boolean {
    return number > 0 && this.#word(number, WORD.number) === number
  }

  flags(number: number): number {
    return this.#word(number, WORD.connectFlags)
  }

  flag(number: number, bits: number): void {
    this.#words[this.#at(number) + WORD.connectFlags] = this.flags(number) | bits
  }

  /** Position of the first piece of a call on the tape; -1 without any. */
  firstPiece(number: number): number {
    return this.#doubles[this.#at(number) / 2 + DOUBLE.firstPiece] ?? -1
  }

  /** Position of the last piece of a call on the tape; -1 without any. */
  lastPiece(number: number): number {
    return this.#doubles[this.#at(number) / 2 + DOUBLE.lastPiece] ?? -1
  }

  addPiece(number: number, position: number, isFirst: boolean): void {
    const at = this.#at(number) / 2
    if (isFirst) this.#doubles[at + DOUBLE.firstPiece] = position
    this.#doubles[at + DOUBLE.lastPiece] = position
  }

  /** Counts bytes of a body. Returns the count before. */
  countBytes(number: number, isRequest: boolean, bytes: number): number {
    const word = isRequest ? WORD.requestBytes : WORD.responseBytes
    const before = this.#word(number, word)
    this.#words[this.#at(number) + word] = Math.min(MAX_WORD, before + bytes)
    return before
  }

  admit(number: number, {pid, protocol}: AdmittedTo, waitedMs: number): void {
    const at = this.#at(number)
    this.flag(number, FLAG.admitted)
    this.#words[at + WORD.pid] = pid
    const others = this.#word(number, WORD.about) & 0xff_f0_ff_ff
    this.#words[at + WORD.about] = others | (PROTOCOLS.indexOf(protocol) << 16)
    this.#floats[at + FLOAT.waitedMs] = waitedMs
  }

  /** Completes the line of a call. `status`: of HTTP, or gRPC's code. */
  end(number: number, flags: number, status: number, record: CallRecord): void {
    const {attempts, startedAt, admittedAt, connectedAt, firstByteAt, endedAt, responseBytes} = record
    this.#setOpen(number, false)
    const at = this.#at(number)
    const connectMs = connectedAt - admittedAt
    const connect = connectMs > KEPT_MS ? packed(connectMs) << 16 : 0
    this.#words[at + WORD.connectFlags] = (this.flags(number) & ~FLAG.open & LOW) | flags | connect
    this.#words[at + WORD.edgeStatus] = (this.#word(number, WORD.edgeStatus) & HIGH) | (status & LOW)
    // only `record` counts the bytes of a websocket, which are not kept
    const counted = Math.max(this.#word(number, WORD.responseBytes), responseBytes)
    this.#words[at + WORD.responseBytes] = Math.min(MAX_WORD, counted)
    this.#words[at + WORD.about] = (this.#word(number, WORD.about) & HIGH) | Math.min(attempts, LOW)
    this.#floats[at + FLOAT.firstByteMs] = firstByteAt === 0 ? 0 : firstByteAt - startedAt
    this.#floats[at + FLOAT.totalMs] = endedAt - startedAt
  }

  /** Decodes the whole line. */
  read(number: number): CallLine {
    const at = this.#at(number)
    const edgeStatus = this.#word(number, WORD.edgeStatus)
    const connectFlags = this.#word(number, WORD.connectFlags)
    const about = this.#word(number, WORD.about)
    return {
      number,
      edge: edgeStatus >>> 16,
      startedAt: this.#doubles[at / 2 + DOUBLE.startedAt] ?? 0,
      status: edgeStatus & LOW,
      flags: connectFlags & LOW,
      connectMs: unpacked(connectFlags >>> 16),
      requestBytes: this.#word(number, WORD.requestBytes),
      responseBytes: this.#word(number, WORD.responseBytes),
      pid: this.#word(number, WORD.pid),
      method: VERBS[about >>> 24] ?? '',
      protocol: PROTOCOLS[(about >>> 20) & 15] ?? 'none',
      calleeProtocol: PROTOCOLS[(about >>> 16) & 15] ?? 'none',
      attempts: about & LOW,
      waitedMs: this.#floats[at + FLOAT.waitedMs] ?? 0,
      firstByteMs: this.#floats[at + FLOAT.firstByteMs] ?? 0,
      totalMs: this.#floats[at + FLOAT.totalMs] ?? 0
    }
  }

  /** Returns the numbers of existing calls before this one, the latest first. */
  numbers(before = this.#last + 1): readonly number[] {
    const numbers: number[] = []
    const oldest = this.#last - this.count
    for (let number = Math.min(before - 1, this.#last); number > Math.max(0, oldest); number--)
      if (this.has(number)) numbers.push(number)
    // a call that is open for long may be older than `oldest`
    const older: number[] = []
    for (let word: number = WORD.number; word < this.#words.length; word += LINE_WORDS) {
      const number = this.#words[word] ?? 0
      if (number > 0 && number <= oldest && number < before) older.push(number)
    }
    return [...numbers, ...older.toSorted((a, b) => b - a)]
  }

  open(): readonly number[] {
    const numbers: number[] = []
    for (const [index, bits] of this.#open.entries())
      for (let left = bits; left !== 0; left &= left - 1)
        numbers.push(this.#word(index * 32 + 31 - Math.clz32(left & -left), WORD.number))
    return numbers
  }

  #isOpen(number: number): boolean {
    const line = number & this.#mask
    return ((this.#open[line >>> 5] ?? 0) & (1 << (line & 31))) !== 0
  }

  #setOpen(number: number, isOpen: boolean): void {
    const line = number & this.#mask
    const bit = 1 << (line & 31)
    const bits = this.#open[line >>> 5] ?? 0
    this.#open[line >>> 5] = isOpen ? bits | bit : bits & ~bit
  }

  /** Returns the index of the first word of a line. */
  #at(number: number): number {
    return (number & this.#mask) * LINE_WORDS
  }

  #word(number: number, word: number): number {
    return this.#words[this.#at(number) + word] ?? 0
  }
}

/** A decoded line. Times are in ms; `firstByteMs` (0: no byte yet) counts from the start of the call. For an open call use `tookMs` and `heldMs`. */
export interface CallLine {
  readonly number: number
  readonly edge: number
  /** `performance.now()`. */
  readonly startedAt: number
  /** HTTP status (0: no response), or gRPC's code (0: OK, or no response). */
  readonly status: number
  readonly flags: number
  readonly requestBytes: number
  readonly responseBytes: number
  /** Pid of the callee's process; 0 if unknown. */
  readonly pid: number
  /** A common method of HTTP, or `TCP`; '': another method, which `methodOf` reads from the recorded bytes. */
  readonly method: string
  readonly protocol: Protocol
  /** `none` until the callee's queue has admitted the call. */
  readonly calleeProtocol: Protocol
  readonly attempts: number
  readonly waitedMs: number
  /** Time to connect to the callee in the last attempt; 0: an open connection was used. */
  readonly connectMs: number
  readonly firstByteMs: number
  readonly totalMs: number
}

/** Returns the duration of a call in ms; of an open call up to `now`. */
export const tookMs = ({flags, startedAt, totalMs}: CallLine, now = performance.now()): number =>
  (flags & FLAG.open) === 0 ? totalMs : Math.max(0, now - startedAt)

/** Returns how long a call waited for its callee, in ms; up to `now` if it still waits. */
export const heldMs = (line: CallLine, now = performance.now()): number =>
  (line.flags & (FLAG.open | FLAG.admitted)) === FLAG.open ? tookMs(line, now) : line.waitedMs

/** Whether a call has failed: no response, an error response of the sidecar, 5xx, or a gRPC code other than OK. */
export const isFailed = ({flags, status}: Pick<CallLine, 'flags' | 'status'>): boolean =>
  (flags & FLAG.failed) !== 0 || ((flags & FLAG.grpc) === 0 ? status >= 500 : status > 0)
