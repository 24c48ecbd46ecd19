import {movedText} from '../../../model/moved-ports.ts'
import {UserError} from '../../../model/errors.ts'
import {ForegroundCommand} from '../../../supervisor/process/foreground-command.ts'
import {environmentHere, movedIn} from '../command-here.ts'
import type {CommandContext} from '../command-handler.ts'
import {runName} from '../pick-run.ts'
import {runHere} from '../run-here.ts'
import {say} from '../say.ts'
import {commandCode, EXIT_NOT_READY, EXIT_TIMEOUT, GRACE_MS} from './command-run.ts'
import type {CommandRunOptions} from './options.ts'

const READY_TIMEOUT_MS = 600_000

/** `up --run CMD` if a run of this folder exists: waits until its apps are ready, and runs the command. The run continues. */
export async function inRunHere(call: CommandContext, options: CommandRunOptions): Promise<number> {
  const {command, timeoutMs} = options
  const began = performance.now()
  const run = await runHere(call.flags, call.asJson)
  const {run: marker} = run.listing
  const line = movedText(command, movedIn(run))
  say(process.stderr, 'info', `Using ${runName(run.listing)} for: ${line}`, call.asJson)
  const body = {for: ['ready'], any: false, ignore: [], timeout: `${Math.min(timeoutMs, READY_TIMEOUT_MS)}ms`}
  const {outcome, conditions} = await run.api.ask('POST /wait', {body: {...body, from: 'start'}})
  if (outcome !== 'met')
    throw new UserError(`the run of this folder is not ready: ${conditions.map(({reason}) => reason).join('; ')}`, {
      explanation: 'pillion why ID says more about an app.',
      code: 'not-now',
      exitCode: outcome === 'timeout' ? EXIT_TIMEOUT : EXIT_NOT_READY
    })
  const life = `${marker}-command-${process.pid}`
  const child = new ForegroundCommand(line, {...(await environmentHere(call, run)), PILLION_LIFE: life}, life)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.pass(signal))
  const over = new AbortController()
  const late = AbortSignal.timeout(
    Math.min(2 ** 31 - 1, Math.ceil(Math.max(0, timeoutMs - (performance.now() - began))))
  )
  late.addEventListener('abort', () => {
    child.signal('SIGTERM')
    setTimeout(() => child.signal('SIGKILL'), GRACE_MS).unref()
  })
  const exit = await child.exited
  const ended = ({pid, command: left}: {readonly pid: number; readonly command: string}): void =>
    say(process.stderr, 'warning', `ended process ${pid}, which the command had left behind: ${left}`, call.asJson)
  await child.endRest({graceMs: GRACE_MS, now: over.signal, ended})
  return late.aborted ? EXIT_TIMEOUT : commandCode(exit)
}
