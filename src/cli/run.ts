import {UserError} from '../errors.ts'
import {Run} from '../host/run.ts'
import type {Deed} from './deed.ts'
import type {Form} from './form.ts'
import {openTerminal, type Terminal} from './terminal.ts'

const EXIT_BUG = 70

/** `run -f PATH` and `run -- command`: until the apps have ended or somebody asks for the end. */
export const run: Deed = async call => {
  const isTemplate = (call.flags.text('run-file') ?? '') !== ''
  if (!isTemplate && call.flags.names.includes('only'))
    throw new UserError('--only chooses among the apps of a run template: give one with --run-file')
  const begin = isTemplate
    ? (await import('./run-template.ts')).templateRun
    : (await import('./run-single.ts')).singleRun
  return live(openTerminal(), terminal => begin(call, terminal))
}

async function live(terminal: Terminal, begin: (terminal: Terminal) => Form): Promise<number> {
  const {ended, ...form} = begin(terminal)
  const lived = new Run({...form, shell: process.env, output: terminal.out, isTerminal: terminal.isTerminal})
  const hasBug = guard(lived, terminal)
  try {
    await lived.start()
    keepSmall()
    const isWell = await lived.ended
    ended()
    return hasBug() ? EXIT_BUG : isWell ? 0 : 1
  } finally {
    await terminal.flush()
  }
}

/**
 * V8 lets the memory for new objects grow up to 48 MB, and does not give it back: half of what a long run would take. With
 * what the start needed, calls are as fast. The factor is read at each growth (V8: `NewSpace::Grow`).
 */
function keepSmall(): void {
  process.getBuiltinModule('node:v8').setFlagsFromString('--semi-space-growth-factor=1')
}

/** Signals ask for the end, a second one for the end at once; so does a stdout that nobody reads. A bug of ours ends the groups. */
function guard(lived: Run, terminal: Terminal): () => boolean {
  let isAsked = false
  let hasBug = false
  const onSignal = (): void => {
    if (isAsked) lived.stopNow()
    else lived.stop()
    isAsked = true
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
  void terminal.closed.then(() => lived.stop())
  const onBug = (error: unknown): void => {
    hasBug = true
    void terminal.err.print(`${error instanceof Error && error.stack !== undefined ? error.stack : String(error)}\n`)
    lived.stopNow()
  }
  process.on('uncaughtException', onBug).on('unhandledRejection', onBug)
  return () => hasBug
}
