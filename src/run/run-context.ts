import {systemClock} from '../platform/clock.ts'
import {randomHex} from '../platform/random.ts'
import type {Lifetime} from './lifetime.ts'
import type {RunOptions} from './run-options.ts'
import {RunReporter} from './run-reporter.ts'

/** Inputs and identity of a run, for all of its parts. */
export interface RunContext extends RunOptions {
  /** The marker of all processes of the run: the value of their `PILLION_RUN`. */
  readonly run: string
  /** Start of the run, in ms since 1970. */
  readonly startedAt: number
  readonly lifetime: Lifetime
  readonly reporter: RunReporter
}

export const createContext = (options: RunOptions, lifetime: Lifetime): RunContext => ({
  ...options,
  run: randomHex(16),
  startedAt: systemClock.date(),
  lifetime,
  reporter: new RunReporter(options.emit)
})
