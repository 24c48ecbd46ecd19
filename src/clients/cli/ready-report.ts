import {unlessGone, type FoundRun} from '../../control/client.ts'
import type {RunIdentity} from '../../control/run-file.ts'
import type * as Api from '../../model/api.generated.ts'
import type {CommandContext} from './command-handler.ts'
import {outputColumns} from './width.ts'
import {psJson} from './commands/ps.ts'
import {sayUnmet} from './commands/wait.ts'
import {readyText} from './live/texts.ts'
import {print} from './print.ts'
import {logsHint} from './say.ts'

const EXIT_NOT_IN_TIME = 124

interface ReadyReport {
  readonly call: CommandContext
  /** When the command began, in ms of `performance.now()`. */
  readonly startedAt: number
  /** How long the apps may take from now on. */
  readonly timeoutMs: number
  /** The flags by which commands reach the run: ` --name two`. */
  readonly of: string
  readonly isNew: boolean
  /** Called before anything is printed; `isImpossible`: an app can no longer become ready. Returns false to suppress the report. */
  readonly ready?: (isImpossible: boolean) => boolean
}

/** Waits until the apps of a run are ready, and prints them, as `up -d` does. Resolves with the exit code. undefined: the run has ended, or `ready` suppressed the report. */
export async function reportReady(
  run: FoundRun,
  {call: {flags, asJson}, startedAt, timeoutMs, of, isNew, ready = () => true}: ReadyReport
): Promise<number | undefined> {
  const body = {for: ['ready'], any: false, ignore: [], from: 'start', timeout: `${timeoutMs}ms`}
  const waited = await unlessGone(async () => run.api.ask('POST /wait', {body}), undefined)
  const listing = waited && (await unlessGone(async () => run.api.ask('GET /run'), undefined))
  if (!ready(waited?.outcome === 'impossible') || waited === undefined || listing === undefined) return undefined
  const {apps} = listing
  const isWell = waited.outcome === 'met' && !apps.some(({availability}) => availability === 'never')
  if (flags.text('output') === 'json')
    print(process.stdout, await upAsJson({...run, listing}, {outcome: isWell ? 'ready' : waited.outcome, isNew}))
  else {
    const hint = apps.some(({pid}) => pid > 0)
      ? `${logsHint(of)} · pillion down${of} stops`
      : `pillion why${of} says more`
    const tookMs = performance.now() - startedAt
    print(process.stdout, readyText(apps, {name: '', tookMs, width: outputColumns(1), rows: Infinity, hint}))
  }
  for (const each of waited.conditions.filter(({state}) => state !== 'met')) sayUnmet(each, asJson)
  if (waited.outcome === 'timeout') return EXIT_NOT_IN_TIME
  return isWell ? 0 : 1
}

interface UpOutcome {
  readonly outcome: Api.Waited['outcome'] | 'ready' | 'starting' | 'differs'
  readonly changes?: readonly string[]
  readonly isNew?: boolean
  readonly identity?: RunIdentity
}

/** `up -d -o json`: the run, whether this command started it, its differences from the command line, and its apps as in `ps -o json`. */
export async function upAsJson(
  run: FoundRun | undefined,
  {outcome, changes = [], isNew = false, identity}: UpOutcome
): Promise<string> {
  const {name, pid, template} = run?.listing ?? {...identity, template: {file: identity?.templateFile}}
  const apps = run === undefined ? [] : await psJson([run.listing])
  return `${JSON.stringify({name, pid, template: template.file, outcome, isNew, differences: changes, apps})}\n`
}
