import type {Exit} from './app-state.ts'
import {ownOf} from './own.ts'
import {roughDuration, spokenDuration} from './duration.ts'

/** Go's names of signals (package `syscall`, Linux), in the order of their numbers. */
const SIGNAL_WORDS: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGHUP: 'hangup',
  SIGINT: 'interrupt',
  SIGQUIT: 'quit',
  SIGILL: 'illegal instruction',
  SIGTRAP: 'trace/breakpoint trap',
  SIGABRT: 'aborted',
  SIGIOT: 'aborted',
  SIGBUS: 'bus error',
  SIGFPE: 'floating point exception',
  SIGKILL: 'killed',
  SIGUSR1: 'user defined signal 1',
  SIGSEGV: 'segmentation fault',
  SIGUSR2: 'user defined signal 2',
  SIGPIPE: 'broken pipe',
  SIGALRM: 'alarm clock',
  SIGTERM: 'terminated',
  SIGSTKFLT: 'stack fault',
  SIGCHLD: 'child exited',
  SIGCONT: 'continued',
  SIGSTOP: 'stopped (signal)',
  SIGTSTP: 'stopped',
  SIGTTIN: 'stopped (tty input)',
  SIGTTOU: 'stopped (tty output)',
  SIGURG: 'urgent I/O condition',
  SIGXCPU: 'CPU time limit exceeded',
  SIGXFSZ: 'file size limit exceeded',
  SIGVTALRM: 'virtual timer expired',
  SIGPROF: 'profiling timer expired',
  SIGWINCH: 'window changed',
  SIGIO: 'I/O possible',
  SIGPOLL: 'I/O possible',
  SIGPWR: 'power failure',
  SIGSYS: 'bad system call'
}

/** Returns the name of a signal as Go prints it, which users and scripts of Dapr expect: `killed`, `terminated`. */
const signalText = (signal: NodeJS.Signals): string => ownOf(SIGNAL_WORDS, signal) ?? signal

/** Describes how a process ended, as Go's `os/exec` prints it: `exit status 1`, `signal: killed`. */
export function exitText(exit: Exit): string {
  if (exit.kind === 'spawn-error') return exit.message
  return exit.kind === 'code' ? `exit status ${exit.code}` : `signal: ${signalText(exit.signal)}`
}

/** Describes an exited app that the next save starts again. */
export const WAITS_FOR_SAVE = 'waits for a save'

/** Describes how a process ended: `exited with code 3`, `was ended by SIGKILL`, `could not be started: …`. */
export function endOf(exit: Exit): string {
  switch (exit.kind) {
    case 'code':
      return `exited with code ${exit.code}`
    case 'signal':
      return `was ended by ${exit.signal}`
    case 'spawn-error':
      return `could not be started: ${exit.message}`
  }
}

/** The repeated exits of an app that is restarted each time. */
export interface ExitLoop {
  /** Number of exits in a row. */
  readonly exits: number
  /** The time from the start of the first of these processes to the end of the latest, in ms. */
  readonly overMs: number
  /** How long these processes lived, in ms. */
  readonly shortestMs: number
  readonly longestMs: number
}

/** Describes repeated exits: `keeps exiting: 27 times in 10 min, each within 2 s`. */
export function loopText({exits, overMs, shortestMs, longestMs}: ExitLoop): string {
  const [shortest, longest] = [roughDuration(shortestMs), roughDuration(longestMs)]
  const isSteady = longestMs < 2 * shortestMs || longestMs < 1000
  return `keeps exiting: ${exits} times in ${roughDuration(overMs)}, ${isSteady ? `each within ${longest}` : `after ${shortest} to ${longest}`}`
}

/** Equal calls that were in flight at the end of a process. Its facts are those of the oldest. */
export interface CallInFlight {
  readonly method: string
  readonly path: string
  readonly from: string
  readonly forMs: number
  /** Number of these calls. */
  readonly count: number
}

/** Facts about an unexpected exit. */
export interface ExitFacts {
  /** Id of the app, with a number for further instances. */
  readonly name: string
  /** `exited with code 1` (`endOf`). */
  readonly exit: string
  /** Life of the process in ms; undefined: no process was started. */
  readonly livedMs: number | undefined
  readonly calls: readonly CallInFlight[]
  /** The workflows and activities that its worker was running (`heldWorkText`). */
  readonly work: readonly string[]
}

/**
 * Describes an exit in one sentence, the same for terminal, page, `why`, events, reports and coding agents (docs/states.md):
 * `"payments" exited with code 1 after 12.4 s while handling POST /charge from orders (98 ms)`.
 */
export function exitSentence({name, exit, livedMs, calls, work}: ExitFacts): string {
  const [call] = calls
  const [task] = work
  const inside = [
    ...(call === undefined ? [] : [calls.length === 1 ? callInFlight(call) : `${callCount(calls)} calls`]),
    ...(task === undefined ? [] : [work.length === 1 ? task : `${work.length} tasks of workflows`])
  ]
  const lived = livedMs === undefined ? '' : ` after ${spokenDuration(livedMs)}`
  return `"${name}" ${exit}${lived}${inside.length === 0 ? '' : ` while handling ${inside.join(' and ')}`}`
}

/** Describes calls in flight: `POST /charge from orders (98 ms)`. */
export const callInFlight = ({method, path, from, forMs, count}: CallInFlight): string =>
  `${method} ${path} from ${from} (${spokenDuration(forMs)})${count === 1 ? '' : ` ×${count}`}`

export const callCount = (calls: readonly {readonly count: number}[]): number =>
  calls.reduce((sum, {count}) => sum + count, 0)
