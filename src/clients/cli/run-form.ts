import {withPortPlace} from '../../proxy/ports/app-port.ts'
import type {Emit} from '../../model/events.ts'
import {giveBackWhenCalm, restoreDefaults, tuneForRun} from '../../platform/heap.ts'
import {keepCodeOfStart} from '../../platform/own-program.ts'
import type {RunOptions} from '../../run/run-options.ts'
import {Run} from '../../run/run.ts'
import type {CommandContext} from './command-handler.ts'
import {guard} from './guard.ts'
import {wantsColours} from './paint.ts'
import type {Terminal} from './terminal.ts'

/** A way to run apps (template, single app, `up --run`): the options of the run, its output, and callbacks at its start and end. */
export interface Form extends Omit<RunOptions, 'env' | 'output' | 'isTerminal' | 'emit'> {
  readonly emit: Emit
  /** Called when the start lines are printed. With `exitCode`, `live` also waits until this promise has settled. */
  readonly started?: (run: Run) => Promise<void>
  /** Called when the run has ended and everything is cleaned up. */
  readonly ended: () => void
  /** Receives the lines of the apps. Default: stdout. */
  readonly output?: RunOptions['output']
  /** Handles a signal in place of the run, and returns true; returns false if the signal is for the run. */
  readonly takes?: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => boolean
  /** Returns the exit code, in place of that of the run. */
  readonly exitCode?: () => number
}

const EXIT_BUG = 70

/** Runs the apps of a form to the end, with our signals and streams. Resolves with the exit code. */
export async function live(
  terminal: Terminal,
  {flags, asJson}: CommandContext,
  begin: (terminal: Terminal) => Form | Promise<Form>
): Promise<number> {
  const {started, ended, takes, exitCode, ...form} = await begin(terminal)
  const isTerminal = terminal.isTerminal || wantsColours(false, process.env)
  const lived = new Run({...form, env: process.env, output: form.output ?? terminal.out, isTerminal})
  const hasBug = guard(lived, terminal, {asJson, takes})
  try {
    await lived.start().catch((error: unknown) => {
      throw withPortPlace(error, form.plan)
    })
    keepCodeOfStart()
    tuneForRun()
    giveBackWhenCalm()
    const shown = started?.(lived)
    if (flags.isSet('dashboard'))
      void (await import('./commands/dashboard.ts')).openOwnDashboard(lived, terminal, asJson)
    const isHealthy = await lived.ended
    if (exitCode !== undefined) await shown
    ended()
    if (hasBug()) return EXIT_BUG
    return exitCode === undefined ? (isHealthy ? 0 : 1) : exitCode()
  } finally {
    restoreDefaults()
    await terminal.flush()
  }
}
