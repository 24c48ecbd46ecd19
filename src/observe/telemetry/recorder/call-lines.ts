import {PROTOCOLS, type Protocol} from '../../../model/call-protocol.ts'
import type {AdmittedTo, CallRecord, SentRequest} from '../../../model/call.ts'

/** Bits of a line. */
export const FLAG = {
  /** Set while the call is under way. */
  open: 1,
  admitted: 2,
  waited: 4,
  /** The response was ours, not the callee's. */
  ours: 8,
  /** The call failed: the callee sent no response, or its response broke off. */
  failed: 16,
  resent: 32,
  /** Part of a body is not kept. */
  truncated: 64,
  shadow: 128,
  replay: 256,
  grpc: 512,
  /** A request of the sidecar to its own app: an event, a question of Dapr's. */
  own: 1024,
  fault: 2048,
  /** The call arrived at the port of its callee, not through the sidecar of its caller. */
  published: 4096,
  /** Set if the callee was asleep and was started for the call. */
  woke: 8192
} as const

/** Mask of the flags. The upper 16 bits contain the time to connect to the callee (`packed`). */
const FLAGS = 0xff_ff
/** Time below which a connection existed before, in ms. */
const KEPT_MS = 0.05

/** A time in ms in 16 bits, right to a thousandth of itself, up to an hour. */
const packed = (ms: number): number => Math.min(0xff_ff, Math.round(Math.log2(1 + ms * 1000) * 2048))
const unpacked = (bits: number): number => (2 ** (bits / 2048) - 1) / 1000

/** Bytes of a line: one cache line of most processors. */
const LINE_BYTES = 64
const VERBS = ['', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH', 'CONNECT', 'TCP']

/** Lines of fixed length for the latest calls: only numbers. The line of an open call is never overwritten: its number is skipped. */
export class CallLines {
  /** Lines; a power of two. */
  readonly count: number
  readonly #mask: number
  readonly #doubles: Float64Array
  readonly #floats: Float32Array
  readonly #words: Uint32Array
  /** A bit per line: its call is open. Saves reading all lines. */
  readonly #open: Uint32Array
  #last = 0

  constructor(count: number) {
    this.count = count
    this.#mask = count - 1
    const buffer = new ArrayBuffer(count * LINE_BYTES)
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
    for (let tries = 1; this.#isTaken(number); tries++, number++) if (tries === this.count) return 0
    this.#last = number
    const line = number & this.#mask
    this.#open[line >>> 5] = (this.#open[line >>> 5] ?? 0) | (1 << (line & 31))
    const word = line * 16
    this.#doubles[word / 2] = startedAt
    this.#doubles[word / 2 + 1] = -1
    this.#doubles[word / 2 + 2] = -1
    const words = this.#words
    words[word + 6] = number
    words[word + 7] = edge * 65_536
    words[word + 8] = flags | FLAG.open
    words[word + 9] = 0 // request bytes
    words[word + 10] = 0 // response bytes
    words[word + 11] = 0 // pid
    // bits 16-19: protocol of the callee, 0-15: attempts
    words[word + 12] = (VERBS.indexOf(method) << 24) | (PROTOCOLS.indexOf(protocol) << 20)
    this.#floats[word + 13] = 0 // waited
    this.#floats[word + 14] = 0 // first byte
    this.#floats[word + 15] = 0 // total
    return number
  }

  /** Corrects the caller of a call. */
  moveTo(number: number, edge: number): void {
    const at = (number & this.#mask) * 16 + 7
    this.#words[at] = edge * 65_536 + ((this.#words[at] ?? 0) & 0xff_ff)
  }

  /** The call is not to be kept. */
  drop(number: number): void {
    const line = number & this.#mask
    this.#open[line >>> 5] = (this.#open[line >>> 5] ?? 0) & ~(1 << (line & 31))
    this.#words[line * 16 + 6] = 0
  }

  has(number: number): boolean {
    return number > 0 && this.#words[(number & this.#mask) * 16 + 6] === number
  }

  flags(number: number): number {
    return this.#word(number, 8)
  }

  flag(number: number, bits: number): void {
    const at = (number & this.#mask) * 16 + 8
    this.#words[at] = (this.#words[at] ?? 0) | bits
  }

  /** First and last piece of the call on the tape; -1 without any. */
  firstPiece(number: number): number {
    return this.#doubles[(number & this.#mask) * 8 + 1] ?? -1
  }

  lastPiece(number: number): number {
    return this.#doubles[(number & this.#mask) * 8 + 2] ?? -1
  }

  addPiece(number: number, position: number, isFirst: boolean): void {
    const at = (number & this.#mask) * 8
    if (isFirst) this.#doubles[at + 1] = position
    this.#doubles[at + 2] = position
  }

  /** Counts bytes of a body. Returns the count before. */
  countBytes(number: number, isRequest: boolean, bytes: number): number {
    const at = (number & this.#mask) * 16 + (isRequest ? 9 : 10)
    const before = this.#words[at] ?? 0
    this.#words[at] = Math.min(0xff_ff_ff_ff, before + bytes)
    return before
  }

  admit(number: number, {pid, protocol}: AdmittedTo, waitedMs: number): void {
    const word = (number & this.#mask) * 16
    this.#words[word + 8] = (this.#words[word + 8] ?? 0) | FLAG.admitted
    this.#words[word + 11] = pid
    this.#words[word + 12] = ((this.#words[word + 12] ?? 0) & 0xff_f0_ff_ff) | (PROTOCOLS.indexOf(protocol) << 16)
    this.#floats[word + 13] = waitedMs
  }

  /** The call is over. `status`: for gRPC its code. */
  end(number: number, flags: number, status: number, record: CallRecord): void {
    const {attempts, startedAt, admittedAt, connectedAt, firstByteAt, endedAt, responseBytes} = record
    const line = number & this.#mask
    this.#open[line >>> 5] = (this.#open[line >>> 5] ?? 0) & ~(1 << (line & 31))
    const word = line * 16
    const words = this.#words
    const connectMs = connectedAt - admittedAt
    const connect = connectMs > KEPT_MS ? packed(connectMs) << 16 : 0
    words[word + 8] = ((words[word + 8] ?? 0) & ~FLAG.open & FLAGS) | flags | connect
    words[word + 7] = ((words[word + 7] ?? 0) & 0xff_ff_00_00) | (status & 0xff_ff)
    // bytes of a websocket are counted, but not kept
    words[word + 10] = Math.max(words[word + 10] ?? 0, Math.min(0xff_ff_ff_ff, responseBytes))
    words[word + 12] = ((words[word + 12] ?? 0) & 0xff_ff_00_00) | Math.min(attempts, 0xff_ff)
    this.#floats[word + 14] = firstByteAt === 0 ? 0 : firstByteAt - startedAt
    this.#floats[word + 15] = endedAt - startedAt
  }

  /** The whole line, in words. */
  read(number: number): CallLine {
    const word = (number & this.#mask) * 16
    const edge = (this.#words[word + 7] ?? 0) >>> 16
    return {
      number,
      edge,
      startedAt: this.#doubles[word / 2] ?? 0,
      status: (this.#words[word + 7] ?? 0) & 0xff_ff,
      flags: (this.#words[word + 8] ?? 0) & FLAGS,
      connectMs: unpacked((this.#words[word + 8] ?? 0) >>> 16),
      requestBytes: this.#words[word + 9] ?? 0,
      responseBytes: this.#words[word + 10] ?? 0,
      pid: this.#words[word + 11] ?? 0,
      method: VERBS[(this.#words[word + 12] ?? 0) >>> 24] ?? '',
      protocol: PROTOCOLS[((this.#words[word + 12] ?? 0) >>> 20) & 15] ?? 'none',
      calleeProtocol: PROTOCOLS[((this.#words[word + 12] ?? 0) >>> 16) & 15] ?? 'none',
      attempts: (this.#words[word + 12] ?? 0) & 0xff_ff,
      waitedMs: this.#floats[word + 13] ?? 0,
      firstByteMs: this.#floats[word + 14] ?? 0,
      totalMs: this.#floats[word + 15] ?? 0
    }
  }

  /** Returns the numbers of existing calls before this one, the latest first. */
  numbers(before = this.#last + 1): readonly number[] {
    const numbers: number[] = []
    const oldest = this.#last - this.count
    for (let number = Math.min(before - 1, this.#last); number > Math.max(0, oldest); number--)
      if (this.has(number)) numbers.push(number)
    // open calls are kept longer than others
    const older: number[] = []
    for (let word = 6; word < this.#words.length; word += 16) {
      const number = this.#words[word] ?? 0
      if (number > 0 && number <= oldest && number < before) older.push(number)
    }
    return [...numbers, ...older.toSorted((a, b) => b - a)]
  }

  open(): readonly number[] {
    const numbers: number[] = []
    for (const [index, bits] of this.#open.entries()) {
      for (let left = bits; left !== 0; left &= left - 1) {
        const line = index * 32 + 31 - Math.clz32(left & -left)
        numbers.push(this.#words[line * 16 + 6] ?? 0)
      }
    }
    return numbers
  }

  #isTaken(number: number): boolean {
    const line = number & this.#mask
    return ((this.#open[line >>> 5] ?? 0) & (1 << (line & 31))) !== 0
  }

  #word(number: number, index: number): number {
    return this.#words[(number & this.#mask) * 16 + index] ?? 0
  }
}

/** A decoded line. Times are in ms; those before `totalMs` count from the start of the call, 0: never reached. For an open call use `tookMs` and `heldMs`. */
export interface CallLine {
  readonly number: number
  readonly edge: number
  /** `performance.now()`. */
  readonly startedAt: number
  /** Status; gRPC's code for gRPC. 0: none. */
  readonly status: number
  readonly flags: number
  readonly requestBytes: number
  readonly responseBytes: number
  /** Pid of the callee's process; 0 if unknown. */
  readonly pid: number
  /** Method of HTTP; empty for any other. */
  readonly method: string
  readonly protocol: Protocol
  /** `none` until the callee's queue has admitted the call. */
  readonly calleeProtocol: Protocol
  readonly attempts: number
  readonly waitedMs: number
  /** How long it took to connect to the callee, in the last attempt; 0: a connection was open. */
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
