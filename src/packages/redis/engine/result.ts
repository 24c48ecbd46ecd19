// Answer of a command inside the engine. Bytes are strings with one character for each byte (latin1): they are compact,
// compare and sort like bytes, and serve as keys of a Map.

/** A status reply (`OK`), which differs from bytes. */
export class Status {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** An error as clients see it: a code in capitals, then words. */
export class RedisError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'RedisError'
  }
}

/** A floating point number: RESP3 has a type for it, RESP2 sends it as bytes. */
export class Double {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

/** Text for people: RESP3 marks it as such, RESP2 sends it as bytes. */
export class Verbatim {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A missing array, which RESP2 distinguishes from missing bytes. */
export class NilArray {
  readonly length = -1
}

/** A message that is not a reply: of a channel, or the confirmation of a subscription. */
export class Push {
  readonly items: readonly Result[]

  constructor(items: readonly Result[]) {
    this.items = items
  }
}

/** Answer of a command. A string is bytes, null means none; a Map and a Set become flat arrays in RESP2. */
export type Result =
  | string
  | number
  | bigint
  | null
  | Status
  | RedisError
  | Double
  | Verbatim
  | NilArray
  | Push
  | readonly Result[]
  | ReadonlyMap<string, Result>
  | ReadonlySet<string>

export const OK_STATUS = new Status('OK')
export const QUEUED = new Status('QUEUED')
export const NIL_ARRAY = new NilArray()

/** The result of a command that answers later: when a key changes, or after its timeout. */
export class Blocked {
  readonly keys: readonly string[]
  /** Maximum time to wait; 0: no limit. */
  readonly timeoutMs: number
  /** Tries again after a change of a key; undefined: the command still has to wait. */
  readonly attempt: () => Result | undefined
  /** Answer inside of EXEC, where commands do not wait. */
  readonly inTransaction: Result

  constructor(
    keys: readonly string[],
    timeoutMs: number,
    attempt: () => Result | undefined,
    inTransaction: Result = NIL_ARRAY
  ) {
    this.keys = keys
    this.timeoutMs = timeoutMs
    this.attempt = attempt
    this.inTransaction = inTransaction
  }
}

/** Length above which `bytesOf` remembers a text: long texts are mostly one script, sent again and again. */
const LONG = 256
let lastLong = ''

/** Returns the bytes of a text as latin1; an ASCII text is its own bytes. */
export function bytesOf(text: string): string {
  if (text === lastLong) return text
  for (let at = 0; at < text.length; at++)
    if (text.charCodeAt(at) > 127) return Buffer.from(text, 'utf8').toString('latin1')
  if (text.length > LONG) lastLong = text
  return text
}

/** Returns consecutive texts as pairs. */
export const textPairs = (texts: readonly string[]): readonly (readonly [string, string])[] =>
  Array.from({length: texts.length / 2}, (_, at) => [texts[2 * at] ?? '', texts[2 * at + 1] ?? ''])

/** A floating point number as Redis prints it: 17 digits, or fewer if they mean the same. */
export function formatDouble(value: number): string {
  if (value === Infinity) return 'inf'
  if (value === -Infinity) return '-inf'
  if (Number.isNaN(value)) return 'nan'
  return Object.is(value, -0) ? '-0' : value.toString()
}
