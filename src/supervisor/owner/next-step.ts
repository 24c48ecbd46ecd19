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

/** The intent for one app. Commands change it at once, and wait for the steps. */
export interface Intent {
  /** An edit or a command removes it from the run. */
  readonly leaves: boolean
  readonly person: Person
  /** Whether a command has asked for a process, and none has begun since. */
  readonly isStartRequested: boolean
  /** Number that grows with each save, restart, and edit of its process. A process of an older round is replaced. */
  readonly round: number
  readonly idle: Idle
}

/** The state of one app that the steps of commands depend on. */
export interface OwnerFacts {
  readonly sidecar: 'open' | 'closed'
  /** Process of an open app. `up`: running, about to start, or waiting for dependencies; `given up`: a dependency has failed; `theirs`: the person starts it. */
  readonly process: 'up' | 'asleep' | 'ended' | 'given up' | 'theirs'
  /** Whether its dependencies let it start at once. */
  readonly isFree: boolean
}

/**
 * Step of a command. `open` the sidecar, so that the start order starts the app; `hand over` to a debugger; `take back` from it; `wake`;
 * `restart` the command at once; `queue` as before the first start.
 */
export type OwnerStep = 'open' | 'hand over' | 'take back' | 'wake' | 'restart' | 'queue' | 'none'

/** Decides the next step for an app. The start order and the restart policy decide about a process that a person has not asked for. */
export function nextStep(
  {leaves, person, isStartRequested}: Pick<Intent, 'leaves' | 'person' | 'isStartRequested'>,
  {sidecar, process, isFree}: OwnerFacts
): OwnerStep {
  if (leaves || person === 'stopped') return 'none'
  if (sidecar === 'closed') return 'open'
  if (process === 'theirs') return person === 'none' ? 'take back' : 'none'
  if (person === 'debugs') return 'hand over'
  if (person === 'excepted' || !isStartRequested || process === 'up') return 'none'
  if (process === 'asleep') return 'wake'
  return process === 'ended' && isFree ? 'restart' : 'queue'
}

/**
 * State of the replacement of a process. `begun`: calls in flight finish; `drained`: none is left; `exchanged`: the next process is not
 * ready yet, or the app does not sleep yet; `up`: it accepts calls; `down`: it has ended, or sleeps; `left`: nothing was started here, or
 * the app stays awake.
 */
export type ReplacementPoint = 'none' | 'begun' | 'drained' | 'exchanged' | 'up' | 'down' | 'left'

/** The state of one app that the replacement of its process depends on. */
export interface ExchangeFacts {
  /** The app is closed, or being closed, or the run ends. */
  readonly isOver: boolean
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
 * Step towards a process of the latest round: `overlap` by a candidate; or `drain` the old process, which queues new calls, `exchange`
 * the processes, and `close` the replacement, which admits the calls. `lull` puts an idle app to sleep in place of `exchange`.
 */
export type ExchangeStep = 'overlap' | 'drain' | 'exchange' | 'lull' | 'close' | 'none'

/** Decides the next step of an app whose process may be replaced. A step under way is cancelled if the result is another one. */
export function nextExchange({round, idle}: Pick<Intent, 'round' | 'idle'>, facts: ExchangeFacts): ExchangeStep {
  const {isOver, candidate, replacement, isFalling, mayOverlap, turn} = facts
  const isIdle = idle.kind === 'idle'
  if (isOver) return replacement === 'none' ? 'none' : 'close'
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
