import type {Parent} from './instance.ts'

/** What a start asks for. */
export interface StartRequest {
  readonly id: string
  readonly name: string
  readonly input: string | undefined
  /** Milliseconds since 1970; undefined: now. */
  readonly startAt: number | undefined
  /** What has asked for it, a traceparent; '': something that is not traced; left out: it begins a trace. */
  readonly trace?: string
}

/** The same for a child, too. */
export interface Creation extends StartRequest {
  readonly parent?: Parent | undefined
  /** PropagatedHistory: what the parent passes on. */
  readonly received?: Uint8Array | undefined
}
