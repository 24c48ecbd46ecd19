import {UserError} from '../model/errors.ts'
import {Run} from '../run/run.ts'
import {wantsColours} from './colours.ts'
import type {CommandHandler} from './command-handler.ts'
import type {Form} from './form.ts'
import {openTerminal, type Terminal} from './terminal.ts'

const EXIT_BUG = 70
const OF_A_TEMPLATE = ['only', 'log-style', 'timestamps']

/** `run -f PATH` and `run -- command`: until the apps have ended or somebody asks for the end. */
export const run: CommandHandler = async call => {
  const isTemplate = (call.flags.text('run-file') ?? '') !== ''
  const needsTemplate = OF_A_TEMPLATE.find(name => call.flags.names.includes(name))
  if (!isTemplate && needsTemplate === 'only')
    throw new UserError('--only chooses among the apps of a run template: give one with --run-file')
  if (!isTemplate && needsTemplate !== undefined)
    throw new UserError(`--${needsTemplate} is for the lines of a run template's apps: give one with --run-file`)
  const begin = isTemplate
    ? (await import('./run-template.ts')).templateRun
    : (await import('./run-single.ts')).singleRun
  return live(openTerminal(), terminal => begin(call, terminal))
}

async function live(terminal: Terminal, begin: (terminal: Terminal) => Form): Promise<number> {
  const {ended, ...form} = begin(terminal)
  const isTerminal = terminal.isTerminal || wantsColours(false, process.env)
  const lived = new Run({...form, shell: process.env, output: terminal.out, isTerminal})
  const hasBug = guard(lived, terminal)
  try {
    await lived.start()
    growYoung(1)
    const isHealthy = await lived.ended
    ended()
    return hasBug() ? EXIT_BUG : isHealthy ? 0 : 1
  } finally {
    growYoung(2) // V8's own, or the code that it keeps for the next start would not be taken
    await terminal.flush()
  }
}

/**
 * The factor by which V8 enlarges the memory for new objects when there are many. It would go up to 48 MB and never give
 * them back, half of what a long run takes; with what the start needed, calls are as fast.
 */
function growYoung(factor: 1 | 2): void {
  process.getBuiltinModule('node:v8').setFlagsFromString(`--semi-space-growth-factor=${factor.toString()}`)
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
