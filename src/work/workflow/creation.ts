import type {Parent} from './instance.ts'

/** What a start asks for. */
export interface StartRequest {
  readonly id: string
  readonly name: string
  readonly input: string | undefined
  /** Milliseconds since 1970; undefined: now. */
  readonly startAt: number | undefined
}

/** The same for a child, too. */
export interface Creation extends StartRequest {
  readonly parent?: Parent | undefined
}
