/** The user's intent for an app: stopped, or the starter of its processes. */
export type Person = 'stopped' | Starter

/** Starter of a process. `none`: the run; `debugs`: the user, in a debugger; `excepted`: the user, since `--except` names the app. */
export type Starter = 'none' | 'debugs' | 'excepted'

/**
 * Whether an app should fall asleep. `idle`: its idle time is over, so that it should. `isBusy`: returns whether it has work besides calls.
 * `needed`: something has needed it since, so that it stays awake, or wakes if it sleeps already. `cause`: for the message.
 */
export type Idle =
  | {readonly kind: 'no'}
  | {readonly kind: 'idle'; readonly isBusy: () => boolean}
  | {readonly kind: 'needed'; readonly cause: string}

/** The intent for one app. Commands, saves and edits change it at once. The owner then takes the steps towards it. */
export interface Intent {
  /** Whether an edit or a command removes the app from the run. */
  readonly leaves: boolean
  /**
   * Whether the app has to close. `closes`: by a command, the end of the run, or since it leaves. `reopens`: by an edit, which opens it again.
   * `opens`: the edit has closed all its apps and opens this one now. `no` once the app is open again.
   */
  readonly closing: 'no' | 'closes' | 'reopens' | 'opens'
  /** Whether the run ends, so that no process is replaced any more. */
  readonly runEnds: boolean
  readonly person: Person
  /** Whether a command has requested a process that has not started. `later`: the command starts the dependencies first. */
  readonly request: 'no' | 'later' | 'now'
  /** Number of the latest save, restart or edit that requires a new process. A process of an older round is replaced. */
  readonly round: number
  readonly idle: Idle
}

/**
 * Progress of the replacement of a process. `begun`: calls in flight finish. `drained`: no call is left. `exchanged`: the old process is being
 * stopped, the next one is not ready, or the app is falling asleep. `up`: the next process accepts calls. `down`: it has ended, or the app sleeps. `left`: no
 * process was started, or the app stays awake.
 */
export type ReplacementPoint = 'none' | 'begun' | 'drained' | 'exchanged' | 'up' | 'down' | 'left'

/** The facts about one app on which its next step depends. */
export interface OwnerFacts {
  /** Whether the sidecar of the app is open. */
  readonly isOpen: boolean
  /** Process of an open app. `up`: running, about to start, or waiting for dependencies; `down`: ended or given up; `theirs`: the user starts it. */
  readonly process: 'up' | 'asleep' | 'down' | 'theirs'
  /** Round of the process, or of the latest attempt to replace it. */
  readonly round: number
  /** Round of the candidate that may take over; 0: no candidate. */
  readonly candidate: number
  readonly replacement: ReplacementPoint
  /** Whether the replacement puts the app to sleep, without a next process. */
  readonly isFalling: boolean
  /** Whether a candidate may run next to the current process, which is ready, and whose plan and starter stay. */
  readonly mayOverlap: boolean
  /** Turn of the app's instances. `own`: this instance may be replaced. `other`: another one is being replaced, or is first. */
  readonly turn: 'own' | 'other'
}

/**
 * Step of an app. `open`: open its sidecar; the start order starts the app then. `end`: end its processes and close its sidecar, at once.
 * For a command: `renew`: ask for another process, of the run or in a debugger; `wake`: wake the app; `queue`: give it to the start order.
 * To reach the latest round: `overlap`: start a candidate, which takes over; or `drain`: queue new calls and let those in flight finish, then
 * `exchange`: stop the old process and start the next, then `close`: end the replacement, which admits the calls. `fallAsleep`: put an idle app to
 * sleep, in place of `exchange`.
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
  | 'fallAsleep'
  | 'close'
  | 'none'

/** Decides the next step of an app. The owner cancels a current step that differs from the result. */
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

/** Returns the step for a command. Without a command, the start order and the restart policy decide when a process starts. */
function forCommand(intent: Intent, {process}: OwnerFacts): 'renew' | 'wake' | 'queue' | 'none' {
  if (!isWanted(intent)) return 'none'
  if (intent.person === 'debugs') return process === 'theirs' ? 'none' : 'renew'
  if (process === 'up') return 'none'
  if (process === 'asleep') return 'wake'
  return process === 'theirs' ? 'renew' : 'queue'
}

/** Returns the step towards a process of the latest round, or to sleep. */
function forRound({round, idle}: Intent, facts: OwnerFacts): OwnerStep {
  const {candidate, replacement, isFalling, mayOverlap, turn} = facts
  const isIdle = idle.kind === 'idle'
  if (candidate > 0) return candidate === round ? 'overlap' : 'none'
  const isDone = ['up', 'down', 'left'].includes(replacement)
  if (isFalling && replacement === 'exchanged') return 'none'
  if (isFalling) return isDone || !isIdle ? 'close' : replacement === 'drained' ? 'fallAsleep' : 'drain'
  if (facts.round === round) return isDone ? 'close' : isIdle && replacement === 'none' ? 'drain' : 'none'
  if (replacement === 'drained') return 'exchange'
  if (replacement !== 'none') return 'drain'
  if (turn === 'other') return 'none'
  return mayOverlap ? 'overlap' : 'drain'
}
