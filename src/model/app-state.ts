import {constants} from 'node:os'

/** How a process ended. */
export type Exit =
  | {readonly kind: 'code'; readonly code: number}
  | {readonly kind: 'signal'; readonly signal: NodeJS.Signals}
  | {readonly kind: 'spawn-error'; readonly message: string}

/** Why a process was stopped. */
export type Why = 'user' | 'watch' | 'unhealthy' | 'idle' | 'run ends'

/**
 * The lifecycle of an app. A single loop (`supervisor/process/supervised-app.ts`) changes it; other code reads it or aborts a signal.
 * For a restart the next program begins in `stopping`, with the pid of the process that ends.
 * No pid: nothing was spawned, or the process is not ours (an app without a command).
 *
 *                  ┌────────────────────────  restart requested  ────────────────────────┐
 *                  ▼                                                                   │
 *   idle ───► starting ───► running ─── stop requested (or in starting) ───────► stopping
 *              ▲     │         │  ⟲ ready ⇄ not ready                                  │
 *   delay over │     └─ exits ─┤                                                       │ stop requested
 *              │               ▼                                                       │
 *           backoff ◄─── policy: restart · policy: give up ───► exited ◄─────────────────┘
 *              └───────────────── stop requested ───────────────┘
 *
 * A lazy app is `asleep` in place of the first start, after it was idle (from `stopping`, or `backoff`), and in place of `exited` by itself.
 */
export type AppState =
  | {readonly phase: 'idle'}
  | {readonly phase: 'starting'; readonly pid: number | undefined}
  /** `isEnding`: the app's process has exited, and other processes of its group end now. */
  | {readonly phase: 'running'; readonly pid: number | undefined; readonly ready: boolean; readonly isEnding?: true}
  | {readonly phase: 'stopping'; readonly pid: number | undefined; readonly why: Why}
  /** `until`: in ms since 1970; Infinity: until a new process is requested. */
  | {readonly phase: 'backoff'; readonly failures: number; readonly until: number; readonly last: Exit}
  /** The app has no process until a call needs one. `last`: how the latest process ended by itself; undefined: it did not. */
  | {readonly phase: 'asleep'; readonly last: Exit | undefined}
  | {readonly phase: 'exited'; readonly exit: Exit | undefined; readonly asked: boolean}

export type Phase = AppState['phase']

/** The legal transitions; every transition is checked against them. */
export const NEXT: Readonly<Record<Phase, readonly Phase[]>> = {
  idle: ['starting', 'asleep', 'exited'],
  starting: ['running', 'stopping', 'backoff', 'asleep', 'exited'],
  running: ['running', 'stopping', 'backoff', 'asleep', 'exited'],
  stopping: ['starting', 'asleep', 'exited'],
  backoff: ['starting', 'asleep', 'exited'],
  asleep: ['starting', 'exited'],
  exited: []
}

/** Whether a process succeeded: it exited by itself with code 0. */
export const succeeded = (exit: Exit | undefined): boolean => exit?.kind === 'code' && exit.code === 0

/** Returns how the process ended by itself; undefined: it did not, or has not ended. */
export function exitOf(state: AppState): Exit | undefined {
  if (state.phase === 'backoff' || state.phase === 'asleep') return state.last
  return state.phase === 'exited' && !state.asked ? state.exit : undefined
}

/** Returns the exit code that shells report in `$?`: 128 plus the signal's number; 127: the program could not be started. */
export function exitCodeOf(exit: Exit): number {
  if (exit.kind === 'code') return exit.code
  return exit.kind === 'signal' ? 128 + constants.signals[exit.signal] : 127
}
