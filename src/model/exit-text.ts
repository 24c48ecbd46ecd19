import type {Exit} from './app-state.ts'
import {ownOf} from './own.ts'

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

/** The name of a signal as Go prints it, which users and scripts of Dapr expect: `killed`, `terminated`. */
export const signalText = (signal: NodeJS.Signals): string => ownOf(SIGNAL_WORDS, signal) ?? signal

/** How a process ended, as Go's `os/exec` prints it: `exit status 1`, `signal: killed`. */
export function exitText(exit: Exit): string {
  if (exit.kind === 'spawn-error') return exit.message
  return exit.kind === 'code' ? `exit status ${exit.code}` : `signal: ${signalText(exit.signal)}`
}

/** An app that is started again when one of its files changes. */
export const WAITS_FOR_SAVE = 'waits for a save'

/** `exited with code 3`, `was ended by SIGKILL`, `could not be started: …`. */
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
