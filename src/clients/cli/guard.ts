import {isTakenByBoundary} from '../../platform/boundary.ts'
import {isShortage, messageOf} from '../../model/errors.ts'
import {shownStatus} from './say.ts'
import type {Terminal} from './terminal.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
type EndSignal = (typeof SIGNALS)[number]

const EVERY_MS = 60_000

interface Stoppable {
  stop(): void
  stopNow(): void
}

/**
 * Stops the run at the first signal, or when stdout closes. A second signal, or a bug of ours, kills everything; a HUP, as of a repeated
 * `down`, does not. `takes`: returns true if it handles the signal itself. Returns a function that reports whether there was a bug.
 */
export function guard(
  lived: Stoppable,
  terminal: Terminal,
  {asJson, takes}: {readonly asJson: boolean; readonly takes?: ((signal: EndSignal) => boolean) | undefined}
): () => boolean {
  let isAsked = false
  let hasBug = false
  const onSignal = (signal: EndSignal): void => {
    if (takes?.(signal) === true) return void (isAsked = true)
    if (!isAsked) lived.stop()
    else if (signal !== 'SIGHUP') lived.stopNow()
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
  let warnedAt = -Infinity
  const onRejection = (error: unknown): void => {
    if (!isShortage(error)) return onBug(error)
    if (isTakenByBoundary(error) || performance.now() - warnedAt < EVERY_MS) return
    warnedAt = performance.now()
    const text = `a task has failed, since no more files may be open: ${messageOf(error)}. The run continues; to raise the limit: ulimit -n`
    void terminal.err.print(shownStatus(process.stderr, 'warning', text, asJson, 'few-descriptors'))
  }
  process.on('uncaughtException', onBug).on('unhandledRejection', onRejection)
  return () => hasBug
}
