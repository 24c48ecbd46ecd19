/** The intent of a person for an app. `excepted`: `--except` has left its start to the person, and calls wait only for the `ready` timeout. */
export type Person = 'stopped' | Starter

/** Starter of a process. `none`: the run; `debugs`: the user, in a debugger; `excepted`: the user of `--except`. */
export type Starter = 'none' | 'debugs' | 'excepted'

/**
 * Whether the app may fall asleep. `idle`: its idle time is over; `isBusy` reports work that calls do not show. `needed`: `cause` has
 * needed it since, and wakes it if it sleeps already.
 */
export type Idle =
  | {readonly kind: 'no'}
  | {readonly kind: 'idle'; readonly isBusy: () => boolean}
  | {readonly kind: 'needed'; readonly cause: string}

/** The intent for one app. Commands and edits change it at once, and wait for the steps. */
export interface Intent {
  /** An edit or a command removes it from the run. */
  readonly leaves: boolean
  /**
   * Until it is open again. `closes`: by a command or the end of the run, or it leaves; `reopens`: by an edit, which opens its id next;
   * `opens`: the edit has closed all its apps, and opens this one.
   */
  readonly closing: 'no' | 'closes' | 'reopens' | 'opens'
  /** The run ends, so that no process is replaced any more. */
  readonly runEnds: boolean
  readonly person: Person
  /** Whether a command has asked for a process, and none has begun since. `later`: once the command has started its dependencies. */
  readonly request: 'no' | 'later' | 'now'
  /** Number that grows with each save, restart, and edit of its process. A process of an older round is replaced. */
  readonly round: number
  readonly idle: Idle
}

/**
 * State of the replacement of a process. `begun`: calls in flight finish; `drained`: none is left; `exchanged`: the next process is not
 * ready yet, or the app does not sleep yet; `up`: it accepts calls; `down`: it has ended, or sleeps; `left`: nothing was started here, or
 * the app stays awake.
 */
export type ReplacementPoint = 'none' | 'begun' | 'drained' | 'exchanged' | 'up' | 'down' | 'left'

/** The state of one app that its steps depend on. */
export interface OwnerFacts {
  /** Whether its sidecar is open. */
  readonly isOpen: boolean
  /** Process of an open app. `up`: running, about to start, or waiting for dependencies; `down`: ended or given up; `theirs`: the person starts it. */
  readonly process: 'up' | 'asleep' | 'down' | 'theirs'
  /** Round of its process, or of the latest attempt. */
  readonly round: number
  /** Round of the candidate that may take over; 0: none. */
  readonly candidate: number
  readonly replacement: ReplacementPoint
  /** The app falls asleep: no process replaces its own. */
  readonly isFalling: boolean
  /** Whether a second process may overlap: the current one is ready, and plan and starter are unchanged. */
  readonly mayOverlap: boolean
  /** `other`: another instance of the app has its turn, or is first. An app without other instances always has it. */
  readonly turn: 'own' | 'other'
}

/**
 * Step of an app. `open` its sidecar again, before the start order starts it; `end` it with its processes and its sidecar, at once.
 * For a command: `renew` the process, by the run or in a debugger; `wake` it; `queue` it as before its first start.
 * Towards a process of the latest round: `overlap` by a candidate; or `drain` the old process, which queues new calls, `exchange` the
 * processes, and `close` the replacement, which admits the calls. `lull` puts an idle app to sleep in place of `exchange`.
 */
export type OwnerStep =
  | 'open'
  | 'end'
  | 'renew'
  | 'wake'
  | 'queue'
  | 'overlap'
  | 'drain'
  | 'exchange'
  | 'lull'
  | 'close'
  | 'none'

/** Decides the next step of an app. A step under way is cancelled if the result is another one. */
export function nextStep(intent: Intent, facts: OwnerFacts): OwnerStep {
  const {isOpen, replacement} = facts
  const {closing, person, runEnds} = intent
  if (isOpen && closing !== 'no') return 'end'
  if (person === 'stopped' || runEnds) return replacement === 'none' ? 'none' : 'close'
  if (!isOpen) return closing === 'opens' || (closing === 'closes' && isWanted(intent)) ? 'open' : 'none'
  const isRenewed = intent.round > Math.max(facts.round, facts.candidate)
  const step = isRenewed ? 'none' : forCommand(intent, facts)
  return step === 'none' ? forRound(intent, facts) : step
}

const isWanted = ({leaves, person, request}: Intent): boolean =>
  !leaves && (person === 'debugs' || (person === 'none' && request === 'now'))

/** The step for a command. The start order and the restart policy decide about a process that a person has not asked for. */
function forCommand(intent: Intent, {process}: OwnerFacts): 'renew' | 'wake' | 'queue' | 'none' {
  if (!isWanted(intent)) return 'none'
  if (intent.person === 'debugs') return process === 'theirs' ? 'none' : 'renew'
  if (process === 'up') return 'none'
  if (process === 'asleep') return 'wake'
  return process === 'theirs' ? 'renew' : 'queue'
}

/** The step towards a process of the latest round, or to sleep. */
function forRound({round, idle}: Intent, facts: OwnerFacts): OwnerStep {
  const {candidate, replacement, isFalling, mayOverlap, turn} = facts
  const isIdle = idle.kind === 'idle'
  if (candidate > 0) return candidate === round ? 'overlap' : 'none'
  const isDone = ['up', 'down', 'left'].includes(replacement)
  if (isFalling && replacement === 'exchanged') return 'none'
  if (isFalling) return isDone || !isIdle ? 'close' : replacement === 'drained' ? 'lull' : 'drain'
  if (facts.round === round) return isDone ? 'close' : isIdle && replacement === 'none' ? 'drain' : 'none'
  if (replacement === 'drained') return 'exchange'
  if (replacement !== 'none') return 'drain'
  if (turn === 'other') return 'none'
  return mayOverlap ? 'overlap' : 'drain'
}
