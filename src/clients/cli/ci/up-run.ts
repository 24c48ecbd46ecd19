import {isatty} from 'node:tty'
import {messageOf, UserError} from '../../../model/errors.ts'
import type {RunEvent} from '../../../model/events.ts'
import {movedText} from '../../../model/moved-ports.ts'
import type {AppPlan} from '../../../model/plan.ts'
import type {CommandContext} from '../command-handler.ts'
import {selectedApps} from '../selected-apps.ts'
import {wantsColours} from '../paint.ts'
import {live, type Form} from '../run-form.ts'
import {logStyleOf, prefixesFor} from '../log-style.ts'
import {tellLateStart} from '../late-start.ts'
import {print, printWhole, type Sign} from '../print.ts'
import {shownStatus} from '../say.ts'
import {openTerminal, type Terminal} from '../terminal.ts'
import {CommandRun, EXIT_NOT_READY} from './command-run.ts'
import {commandRunOptions} from './options.ts'
import {isOnGitHub, mistakeAnnotations} from './github.ts'
import {harmlessOutput, Reports} from './reports.ts'

/** `up --run CMD`: uses the run of this folder if flags and template are the same; else starts the template. Runs CMD once all apps are ready, stops a run that it started, and ends with CMD's exit code. */
export async function upRun(context: CommandContext): Promise<number> {
  const typed = commandRunOptions(context)
  try {
    const {secondUp} = await import('../second-run.ts')
    const second = await secondUp(context, 'use')
    const file = context.flags.list('run-file')[0]
    const here = {...context, flags: context.flags.with({'run-file': file})}
    if (second === 0) return await (await import('./in-run-here.ts')).inRunHere(here, typed)
    const isMoved = second !== undefined && !context.flags.isSet('strict-ports')
    const own = isMoved ? {...context, flags: context.flags.with({isolated: true})} : context
    return await withCommand(own, typed)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    if (isOnGitHub(process.env)) print(process.stderr, mistakeAnnotations(error, process.env))
    const {stream, explanation, code, cause} = error
    throw new UserError(error.message, {stream, explanation, code, cause, exitCode: EXIT_NOT_READY})
  }
}

async function withCommand(context: CommandContext, typed: ReturnType<typeof commandRunOptions>): Promise<number> {
  const {asJson} = context
  const selection = await selectedApps(context)
  const {loaded, plan: selected} = selection
  const options = {...typed, command: movedText(typed.command, selected.movedPorts ?? new Map())}
  const apps = await appsFor(selection, options)
  const terminal = openTerminal()
  const say = (status: Sign, text: string): void => {
    void terminal.err.print(reports.safe(shownStatus(process.stderr, status, text, asJson)))
  }
  const warn = (text: string): void => say('warning', text)
  const reports = await Reports.open(options, warn)
  const {shownAs} = selected
  const {folder} = reports
  const run = new CommandRun({options, template: shownAs, places: loaded.places(), say, flush: terminal.flush, folder})
  const form = formOf(context, {selection, apps, terminal, run, say})
  say('info', `Starting ${counted(selected.apps.length)} of ${shownAs} for: ${options.command}`)
  let code = EXIT_NOT_READY
  let fault: Error | undefined
  try {
    code = await live(terminal, context, () => form)
  } catch (error) {
    fault = error instanceof Error ? error : new Error(String(error))
    run.failed(messageOf(error))
  }
  const text = await reports.finish(run.outcome(), warn)
  await printWhole(process.stderr, text)
  await terminal.flush()
  if (fault !== undefined) throw fault
  return code
}

type Selection = Awaited<ReturnType<typeof selectedApps>>

/** Returns the selected apps, and the sidecar of the command. Rejects with a UserError if the template has an app with its id. */
async function appsFor(
  {loaded, plan, commandPlan}: Selection,
  {as, showsLogs}: ReturnType<typeof commandRunOptions>
): Promise<readonly AppPlan[]> {
  if (loaded.plan.apps.some(({id}) => id === as))
    throw new UserError(`the template has an app "${as}"`, {
      explanation: 'The command needs a sidecar of its own: give it another id, for example --as e2e.'
    })
  const sidecar = await commandPlan(as)
  return [...plan.apps.map(showsLogs ? kept : quiet), quiet(sidecar)]
}

interface FormParts {
  readonly selection: Selection
  readonly apps: readonly AppPlan[]
  readonly terminal: Terminal
  readonly run: CommandRun
  readonly say: (status: Sign, text: string) => void
}

/** Returns the form of the run: how `live` starts, shows and ends it. */
function formOf({flags, asJson}: CommandContext, {selection, apps, terminal, run, say}: FormParts): Form {
  const {plan, except} = selection
  const style = logStyleOf(flags.text('log-style'))
  const isPainted = wantsColours(isatty(2), process.env)
  let callOff: (() => void) | undefined
  return {
    plan: {...plan, apps},
    isJson: asJson,
    hints: selection.hints,
    excepted: except,
    workMode: 'brief',
    output: harmlessOutput(terminal.err),
    form: {kind: 'template', prefixOf: prefixesFor(plan, {style, isPainted})},
    emit: event => {
      shown(event, say)
      run.noticed(event)
    },
    started: async lived => {
      callOff = tellLateStart(lived, text => say('pending', text))
      await run.go(lived)
    },
    takes: signal => run.takes(signal),
    exitCode: () => run.outcome().exitCode,
    ended: () => callOff?.()
  }
}

/** Returns the app with its output in files only: stdout and stderr belong to the command. */
const quiet = (app: AppPlan): AppPlan => ({...app, logs: {...app.logs, app: 'file', sidecar: 'file'}})

/** Returns the app with its output shown, and kept for the report. */
const kept = (app: AppPlan): AppPlan => ({...app, logs: {...app.logs, app: 'fileAndConsole'}})

/** Shows the run's own messages, without its start lines. */
function shown(event: RunEvent, say: (status: Sign, text: string) => void): void {
  if (event.type === 'warned') say('warning', event.text)
  if (event.type === 'policy-decided' || event.type === 'fault-changed' || event.type === 'info')
    say('info', event.text)
}

const counted = (apps: number): string => (apps === 1 ? '1 app' : `${apps} apps`)
