/** What is waiting for the next turn of an instance. */
export interface InboxEntry {
  readonly id: number
  readonly kind: InboxKind
  /** Of an event: its name. Of a timer: that of the event with which it waited, in lower case. Of a termination: `recursive`, or nothing. */
  readonly name: string
  readonly event: Uint8Array
}

export type InboxKind = 'start' | 'result' | 'timer' | 'event' | 'suspend' | 'resume' | 'terminate'

/** The task of another instance that this one was made for. */
export interface Parent {
  readonly app: string
  readonly id: string
  readonly execution: string
  readonly task: number
}

/** Of all that have had an ID of an app. */
export const nameOf = ({app, id}: Pick<Instance, 'app' | 'id'>): string => `${app}\0${id}`

/** An instance of a workflow. Times are milliseconds since 1970. */
export interface Instance {
  readonly key: number
  readonly app: string
  readonly id: string
  /** Differs with each start under this id, and each continue-as-new. */
  execution: string
  readonly name: string
  version: string | undefined
  status: number
  created: number
  /** Of its first turn; undefined before. */
  started: number | undefined
  updated: number
  input: string | undefined
  output: string | undefined
  customStatus: string | undefined
  /** TaskFailureDetails */
  failure: Uint8Array | undefined
  /** Why it is stalled: see `stallsOf`. */
  stall: Uint8Array | undefined
  readonly parent: Parent | undefined
  /** Its place in its trace, a traceparent (W3C Trace Context); undefined: it is not traced. */
  trace: string | undefined
  /** PropagatedHistory: what its parent has passed on to it. */
  received: Uint8Array | undefined
  turns: number
  /** How often it has continued as new without a pause. */
  rounds: number
}

export type NewInstance = Pick<
  Instance,
  'app' | 'id' | 'execution' | 'name' | 'created' | 'input' | 'parent' | 'trace' | 'received'
>

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
