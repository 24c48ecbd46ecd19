import {isTakenByBoundary} from '../../platform/boundary.ts'
import type {Terminal} from './terminal.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
type EndSignal = (typeof SIGNALS)[number]

interface Stoppable {
  stop(): void
  stopNow(): void
}

/** The first signal, or a closed stdout, stops the run; a second signal, or a bug of ours, kills everything. Returns a function that says whether there was a bug. */
export function guard(lived: Stoppable, terminal: Terminal, takes?: (signal: EndSignal) => boolean): () => boolean {
  let isAsked = false
  let hasBug = false
  const onSignal = (signal: EndSignal): void => {
    if (takes?.(signal) === true) return void (isAsked = true)
    if (isAsked) lived.stopNow()
    else lived.stop()
    isAsked = true
  }
  for (const signal of SIGNALS) process.on(signal, () => onSignal(signal))
  void terminal.closed.then(() => lived.stop())
  const onBug = (error: unknown): void => {
    if (isTakenByBoundary(error)) return
    hasBug = true
    void terminal.err.print(`${error instanceof Error && error.stack !== undefined ? error.stack : String(error)}\n`)
    lived.stopNow()
  }
  process.on('uncaughtException', onBug).on('unhandledRejection', onBug)
  return () => hasBug
}
