import {constants} from 'node:os'

/** How a process ended. */
export type Exit =
  | {readonly kind: 'code'; readonly code: number}
  | {readonly kind: 'signal'; readonly signal: NodeJS.Signals}
  | {readonly kind: 'spawn-error'; readonly message: string}

/** Why a process was stopped. */
export type Why = 'user' | 'watch' | 'unhealthy' | 'run ends'

/**
 * The lifecycle of an app. One loop (`supervisor/process/supervised-app.ts`) changes it; other code reads it or aborts a signal.
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
 */
export type AppState =
  | {readonly phase: 'idle'}
  | {readonly phase: 'starting'; readonly pid: number | undefined}
  | {readonly phase: 'running'; readonly pid: number | undefined; readonly ready: boolean}
  | {readonly phase: 'stopping'; readonly pid: number | undefined; readonly why: Why}
  /** `until` is in ms since 1970; `Infinity`: until a new process is requested. */
  | {readonly phase: 'backoff'; readonly failures: number; readonly until: number; readonly last: Exit}
  | {readonly phase: 'exited'; readonly exit: Exit | undefined; readonly asked: boolean}

export type Phase = AppState['phase']

/** The legal transitions; every transition is checked against them. */
export const NEXT: Readonly<Record<Phase, readonly Phase[]>> = {
  idle: ['starting', 'exited'],
  starting: ['running', 'stopping', 'backoff', 'exited'],
  running: ['running', 'stopping', 'backoff', 'exited'],
  stopping: ['starting', 'exited'],
  backoff: ['starting', 'exited'],
  exited: []
}

/** Whether a process succeeded: it exited by itself with code 0. */
export const succeeded = (exit: Exit | undefined): boolean => exit?.kind === 'code' && exit.code === 0

/** An exit as a number, as shells have it in `$?`: 128 and the signal's number, 127 for a program that could not be started. */
export function exitCodeOf(exit: Exit): number {
  if (exit.kind === 'code') return exit.code
  return exit.kind === 'signal' ? 128 + constants.signals[exit.signal] : 127
}
