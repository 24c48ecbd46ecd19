/** An entry that waits for the next turn of an instance. */
export interface InboxEntry {
  readonly id: number
  readonly kind: InboxKind
  /** Name of an event; for a timer the event that ends it, in lower case; for a termination `recursive` or ''. */
  readonly name: string
  readonly event: Uint8Array
}

export type InboxKind = 'start' | 'result' | 'timer' | 'event' | 'suspend' | 'resume' | 'terminate'

/**
 * Returns the inbox entries for one turn, the start first. A suspension is the first entry of its turn, since SDKs repeat the steps before
 * it. A termination has a turn of its own: Java's SDK does not answer if the code ends before it, or entries follow it.
 */
export function nextOf(inbox: readonly InboxEntry[]): readonly InboxEntry[] {
  const rank = ({kind}: InboxEntry): number => ['terminate', 'start'].indexOf(kind)
  const all = inbox.toSorted((a, b) => rank(b) - rank(a))
  const end = all.findIndex(({kind}, at) => at > 0 && (/suspend|terminate/.test(kind) || all[0]?.kind === 'terminate'))
  return end < 0 ? all : all.slice(0, end)
}

/** The creator of a child: the instance and its task. */
export interface Parent {
  readonly app: string
  readonly id: string
  readonly execution: string
  readonly task: number
}

/** Returns a key that all instances with the same id in the same app share, removed ones included. */
export const nameOf = ({app, id}: Pick<Instance, 'app' | 'id'>): string => `${app}\0${id}`

/** An instance of a workflow. Times are milliseconds since 1970. */
export interface Instance {
  readonly key: number
  readonly app: string
  readonly id: string
  /** Id of this execution: each start under the same instance id, and each continue-as-new, has a new one. */
  execution: string
  readonly name: string
  version: string | undefined
  status: number
  created: number
  /** Start of its first turn; undefined: it had no turn yet. */
  started: number | undefined
  updated: number
  input: string | undefined
  output: string | undefined
  customStatus: string | undefined
  /** TaskFailureDetails; undefined: it has not failed. */
  failure: Uint8Array | undefined
  /** The events of its stalls (`stallsOf`); undefined: not stalled. */
  stall: Uint8Array | undefined
  readonly parent: Parent | undefined
  /** The traceparent of its span (W3C Trace Context); undefined: it is not traced. */
  trace: string | undefined
  /** PropagatedHistory received from its parent. */
  received: Uint8Array | undefined
  /** Number of turns in its history. */
  turns: number
  /** Number of times in a row that it has continued as new. */
  rounds: number
}

export type NewInstance = Pick<
  Instance,
  'app' | 'id' | 'execution' | 'name' | 'created' | 'input' | 'parent' | 'trace' | 'received'
>

export interface StartRequest {
  readonly id: string
  readonly name: string
  readonly input: string | undefined
  /** Milliseconds since 1970; undefined: now. */
  readonly startAt: number | undefined
  /** Traceparent of the caller; '': not traced. Omitted: a new trace begins. */
  readonly trace?: string
  /** App that starts the instance; omitted: its own app. */
  readonly caller?: string
}

/** A request to start an instance, or to create a child. */
export interface Creation extends StartRequest {
  readonly parent?: Parent | undefined
  /** PropagatedHistory from the parent. */
  readonly received?: Uint8Array | undefined
}
