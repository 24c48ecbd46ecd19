import type {HintCode} from './hint-code.ts'
import type {MistakeCode} from './mistake-code.ts'

/** A place in a text file. Lines and columns are counted from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The whole line of the file. */
  readonly source: string
}

/** A mistake and its place, for programs that read our output. */
export interface PlacedMistake {
  readonly message: string
  readonly place: Place
  /** Expected value; '': unknown. */
  readonly expected: string
  /** Text to write instead; '': unknown. */
  readonly hint: string
}

export interface TemplateMistake extends PlacedMistake {
  readonly code: MistakeCode
  /** Its range in the joined text of the template's files. Omitted: it is in a resource file. */
  readonly spot?: {readonly start: number; readonly end: number}
}

interface UserErrorDetails {
  /** The stream to which the message is printed: Dapr prints some of its errors on stdout, where scripts read them. */
  readonly stream?: 'stdout' | 'stderr'
  /** Printed on stderr after the message: place, caret, what to do. */
  readonly explanation?: string
  readonly exitCode?: number
  /** Kind of the mistake or hint, for programs. Default: that of the cause, else `wrong-value`. */
  readonly code?: MistakeCode | HintCode | undefined
  /** Each mistake with its place, for programs. */
  readonly mistakes?: readonly TemplateMistake[]
  /** Files whose next save may fix the mistake: missing ones, and those with values of the template. */
  readonly mendedBy?: readonly string[]
  readonly cause?: unknown
}

/** A mistake that the user can fix: printed without a stack trace, after the failure glyph. */
export class UserError extends Error {
  readonly stream: 'stdout' | 'stderr'
  readonly explanation: string
  readonly exitCode: number
  readonly code: MistakeCode | HintCode | undefined
  readonly mistakes: readonly TemplateMistake[]
  readonly mendedBy: readonly string[]

  constructor(message: string, details: UserErrorDetails = {}) {
    const {stream = 'stderr', explanation = '', exitCode = 1, code, mistakes = [], mendedBy = [], cause} = details
    super(message, {cause})
    this.name = 'UserError'
    this.stream = stream
    this.explanation = explanation
    this.exitCode = exitCode
    const [first] = mistakes
    this.code =
      code ?? first?.code ?? (cause instanceof UserError ? cause.code : explanation === '' ? undefined : 'wrong-value')
    this.mistakes = mistakes
    this.mendedBy = mendedBy
  }
}

/** Returns the message of any thrown value. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Returns the message of any thrown value, with the explanation of a `UserError`. */
export const wholeMessageOf = (error: unknown): string =>
  error instanceof UserError ? `${error.message}\n${error.explanation}`.trimEnd() : messageOf(error)

/** Returns the error code of a failed system call (`ENOENT`, `ECONNREFUSED` …); '': another error. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

/** Whether no file descriptor was free: a later try may succeed, and the file itself is in order. */
export const isShortage = (error: unknown): boolean => ['EMFILE', 'ENFILE'].includes(codeOf(error))

/** Throws in the default case of a switch over a union: reaching it is a bug. */
export const unreachable = (value: never): never => {
  throw new Error(`unreachable: ${JSON.stringify(value)}`)
}

/** Returns the log text of an internal error that closed one connection. */
export const bugText = (error: unknown): string =>
  `internal error, its connection was closed: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`
