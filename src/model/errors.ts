/** A place in a text file, both counted from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The line itself. */
  readonly source: string
}

/** One mistake and its place, for programs that read what we say. */
export interface PlacedMistake {
  readonly message: string
  readonly place: Place
  /** What should stand there, '' where nothing is to be said. */
  readonly expected: string
  /** What to write, '' where that is not known. */
  readonly hint: string
}

export interface UserErrorDetails {
  /** Where the message goes: Dapr prints some of its errors on stdout, and scripts read them there. */
  readonly stream?: 'stdout' | 'stderr'
  /** What follows the message on stderr: place, caret, what to do. */
  readonly explanation?: string
  readonly exitCode?: number
  /** The same for programs: each mistake with its place. */
  readonly mistakes?: readonly PlacedMistake[]
  readonly cause?: unknown
}

/** A mistake that the user can mend: printed without a stack, behind the failure glyph. */
export class UserError extends Error {
  readonly stream: 'stdout' | 'stderr'
  readonly explanation: string
  readonly exitCode: number
  readonly mistakes: readonly PlacedMistake[]

  constructor(message: string, details: UserErrorDetails = {}) {
    const {stream = 'stderr', explanation = '', exitCode = 1, mistakes = [], cause} = details
    super(message, {cause})
    this.name = 'UserError'
    this.stream = stream
    this.explanation = explanation
    this.exitCode = exitCode
    this.mistakes = mistakes
  }
}

/** The text of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The system's code of a failed call (`ENOENT`, `ECONNREFUSED` …), '' when there is none. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

/** Closes a switch over a union: reaching it is a bug of ours. */
export const unreachable = (value: never): never => {
  throw new Error(`unreachable: ${JSON.stringify(value)}`)
}
