import {UserError} from '../../model/errors.ts'
import {Run} from '../../run/run.ts'
import {wantsColours} from '../colours.ts'
import type {CommandHandler} from '../command-handler.ts'
import type {Form} from '../form.ts'
import {openTerminal, type Terminal} from '../terminal.ts'

const EXIT_BUG = 70
const TEMPLATE_FLAGS = ['only', 'except', 'profile', 'log-style', 'timestamps']
/** Those that select apps. */
const SELECTING = ['only', 'except', 'profile']

/** `run -f PATH` and `run -- command`: runs until all apps have exited or a signal or `stop` ends the run. */
export const run: CommandHandler = async call => {
  const isTemplate = call.flags.list('run-file').some(file => file !== '')
  const needsTemplate = TEMPLATE_FLAGS.find(name => call.flags.names.includes(name))
  if (!isTemplate && needsTemplate !== undefined && SELECTING.includes(needsTemplate))
    throw new UserError(`--${needsTemplate} selects apps of a run template: add --run-file`)
  if (!isTemplate && needsTemplate !== undefined)
    throw new UserError(`--${needsTemplate} formats the lines of a run template's apps: add --run-file`)
  const begin = isTemplate
    ? (await import('./run-template.ts')).templateRun
    : (await import('./run-single.ts')).singleRun
  return live(openTerminal(), terminal => begin(call, terminal))
}

/** `up`: `run -f .` */
export const up: CommandHandler = async context => run({...context, flags: context.flags.or({'run-file': ['.']})})

async function live(terminal: Terminal, begin: (terminal: Terminal) => Form | Promise<Form>): Promise<number> {
  const {started, ended, ...form} = await begin(terminal)
  const isTerminal = terminal.isTerminal || wantsColours(false, process.env)
  const lived = new Run({...form, shell: process.env, output: terminal.out, isTerminal})
  const hasBug = guard(lived, terminal)
  try {
    await lived.start()
    growYoung(1)
    void started?.(lived)
    const isHealthy = await lived.ended
    ended()
    return hasBug() ? EXIT_BUG : isHealthy ? 0 : 1
  } finally {
    growYoung(2) // V8's default: V8 rejects its code cache if flags differ at the next start
    await terminal.flush()
  }
}

/**
 * The factor by which V8 grows its young generation. By default it grows to 48 MB and never shrinks, which is half the
 * memory of a long run. With the size after the start, calls are just as fast.
 */
function growYoung(factor: 1 | 2): void {
  process.getBuiltinModule('node:v8').setFlagsFromString(`--semi-space-growth-factor=${factor.toString()}`)
}

/** The first signal stops the run, and so does a closed stdout; a second signal kills everything, and so does a bug of ours. */
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
