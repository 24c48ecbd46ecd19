/** The intent of a person for an app. `excepted`: `--except` has left its start to the person, and calls wait only for the `ready` timeout. */
export type Person = 'stopped' | Starter

/** Starter of a process. `none`: the run; `debugs`: the user, in a debugger; `excepted`: the user of `--except`. */
export type Starter = 'none' | 'debugs' | 'excepted'

/** The intent for one app. Commands change it at once, and wait for the steps. */
export interface Intent {
  /** An edit or a command removes it from the run. */
  readonly leaves: boolean
  readonly person: Person
  /** A command has asked for a process, and none has begun since. */
  readonly isStartRequested: boolean
}

/** The state of one app that the steps of commands depend on. */
export interface OwnerFacts {
  readonly sidecar: 'open' | 'closed'
  /**
   * The process of an open app: `up` also if it is about to start or waits for its dependencies, `given up` if one of these has failed,
   * `theirs` if the person starts it.
   */
  readonly process: 'up' | 'asleep' | 'ended' | 'given up' | 'theirs'
  /** Whether its dependencies let it start at once. */
  readonly isFree: boolean
}

/**
 * Step of a command: `open` its sidecar, which lets the start order start it; `hand over` to a debugger, `take back` from it; `wake` it;
 * `restart` its command at once; `queue` it as before its first start.
 */
export type OwnerStep = 'open' | 'hand over' | 'take back' | 'wake' | 'restart' | 'queue' | 'none'

/** Decides the next step for an app. The start order, saves and the restart policy decide about a process that a person has not asked for. */
export function nextStep(
  {leaves, person, isStartRequested}: Intent,
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
