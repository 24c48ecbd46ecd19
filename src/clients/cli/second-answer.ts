import {setTimeout as pause} from 'node:timers/promises'
import {runOfProcess, type FoundRun} from '../../control/client.ts'
import {livingRun, type AskedRun, type RunIdentity} from '../../control/run-file.ts'
import {startingRuns, type StartingRun} from '../../control/starting-runs.ts'
import {roughDuration} from '../../model/duration.ts'
import {UserError} from '../../model/errors.ts'
import {isPlainTemplate} from '../../model/template-name.ts'
import {isSameStart, isSuspended, startOf} from '../../platform/process-table.ts'
import type {CommandContext} from './command-handler.ts'
import {print} from './print.ts'
import {reportReady, upAsJson} from './ready-report.ts'
import {HAS_TERMINAL, logsHint, say, UP} from './say.ts'
import {flagDuration} from './since.ts'
import type {Plan} from '../../model/plan.ts'
import {askedRun, EXIT_YIELDED, type SecondUp} from './asked-run.ts'

const LOOK_MS = 50
/** A run that does not answer for this time, while its process lives, is an error. */
const SILENT_MS = 10_000

interface Second {
  readonly other: StartingRun
  /** The template, and the copy, for messages. */
  readonly shown: string
  /** The flags by which commands reach the run: ` --name two`. */
  readonly of: string
}

/** Answers a second `up`. Resolves with the exit code; undefined: the first run has ended. Throws a UserError if flags or template differ. */
export async function answerSecond(call: CommandContext, how: SecondUp, second: Second): Promise<number | undefined> {
  const {flags, asJson} = call
  const {shown, of} = second
  const startedAt = performance.now()
  const timeoutMs = flagDuration('timeout', flags.text('timeout') ?? '60s')
  const found = await seenRun(second, {how, asJson, timeoutMs})
  if (found === undefined) return undefined
  if (how === 'yield') return EXIT_YIELDED
  const {identity, run} = found
  const changes = await changesFor(call, identity, how)
  const state = `${shown} is already ${run === undefined ? 'starting' : 'running'} (pid ${identity.pid})`
  if (how === 'use') return answerCommand(found, {changes, state, asJson})
  if (how === 'attach' && run !== undefined) {
    const {attachToRun} = await import('./attach/whole-run.ts')
    const advice = `${state}: ${changes.join('; ')}. To start it again: pillion down${of}`
    if (changes.length > 0) say(process.stderr, 'warning', advice, asJson)
    return attachToRun(run, asJson, {mayStop: true})
  }
  const isJson = flags.text('output') === 'json'
  if (changes.length > 0) {
    if (isJson) print(process.stdout, await upAsJson(run, {identity, outcome: 'differs', changes}))
    throw new UserError(`${state}, and this up differs: ${changes.join('; ')}`, {
      explanation: `pillion down${of} ends it, pillion start${of} ID starts one of its apps, ${UP} --name NAME starts a second run.`,
      code: 'run-differs'
    })
  }
  if (how === 'wait' && run !== undefined) return reportReady(run, {call, startedAt, timeoutMs, of, isNew: false})
  if (isJson) print(process.stdout, await upAsJson(run, {identity, outcome: 'starting', changes}))
  else describe(found, {state, of, asJson})
  return 0
}

/** Answers an `up --run`: 0 if its command can use the run. */
function answerCommand(
  {identity, run}: SeenRun,
  {changes, state, asJson}: {readonly changes: readonly string[]; readonly state: string; readonly asJson: boolean}
): number {
  const isUsed = run !== undefined && isPlainTemplate(identity.templateFile)
  const why = changes.length > 0 ? changes.join('; ') : isUsed ? '' : 'the command needs a sidecar in its run'
  if (why === '') return 0
  say(process.stderr, 'info', `${state}: ${why}. The command gets a run of its own`, asJson)
  return EXIT_YIELDED
}

/** Prints how many apps of the run are ready, and the commands that show and stop it. */
function describe(
  {identity, run}: SeenRun,
  {state, of, asJson}: {readonly state: string; readonly of: string; readonly asJson: boolean}
): void {
  const preparing = identity.preparing === undefined ? '' : `: ${identity.preparing}`
  say(process.stdout, 'info', `${state}${run === undefined ? preparing : `: ${readyCount(run)}`}`, asJson)
  const view = HAS_TERMINAL ? 'attach' : 'ps'
  if (!asJson) print(process.stdout, `pillion ${view}${of} shows it · ${logsHint(of)} · pillion down${of} stops\n`)
}

const readyCount = ({listing: {apps}}: FoundRun): string =>
  `${apps.filter(({isReady}) => isReady).length} of ${apps.length} ${apps.length === 1 ? 'app' : 'apps'} ready`

interface SeenRun {
  readonly identity: StartingRun
  /** The run. Undefined if it still starts, and the caller does not wait. */
  readonly run: FoundRun | undefined
}

/**
 * Waits until the run answers; resolves with undefined if its process has ended. For `report` and `yield` it does not wait for a start. Throws
 * a UserError for a suspended or silent run, and after the timeout, which does not count the preparation of a worktree.
 */
async function seenRun(
  {other, shown}: Second,
  {how, asJson, timeoutMs}: {readonly how: SecondUp; readonly asJson: boolean; readonly timeoutMs: number}
): Promise<SeenRun | undefined> {
  const {pid, started} = other
  const said = new Set<string>()
  const sayOnce = (text: string): void => {
    if (!said.has(text)) say(process.stderr, 'pending', `${shown} ${text}`, asJson)
    said.add(text)
  }
  let since = performance.now()
  for (let limitMs = SILENT_MS; isSameStart(startOf(pid), started); await pause(LOOK_MS)) {
    if (isSuspended(pid))
      throw new UserError(`the run with pid ${pid} is suspended`, {
        explanation: `Resume it with fg in its terminal, or with kill -CONT ${pid}.`,
        code: 'run-silent'
      })
    const run = await runOfProcess(process.env, pid)
    if (run !== undefined && run.listing.isEnding !== true) return {identity: livingRun(run.folder) ?? other, run}
    const start = startingRuns(process.env).find(each => each.pid === pid)
    if (run === undefined && start !== undefined) {
      if (how === 'report' || how === 'yield') return {identity: start, run}
      sayOnce(`is already starting (pid ${pid})${start.preparing === undefined ? '' : `: ${start.preparing}`}`)
      limitMs = timeoutMs
    }
    if (run !== undefined) sayOnce(`is stopping (pid ${pid}): this run starts once it has ended`)
    // apps may have a long grace period, and the preparation of a worktree may be long
    if (run !== undefined || start?.preparing !== undefined) since = performance.now()
    if (performance.now() - since > limitMs)
      throw new UserError(`${shown} is already starting (pid ${pid}), and not there after ${roughDuration(limitMs)}`, {
        explanation: `pillion down ends it; "kill -9 ${pid}" ends it at once, and its watchdog ends its apps.`,
        exitCode: 124,
        code: 'run-silent'
      })
  }
  return undefined
}

/** Describes the differences between a run and this command line. Reads the template only if the flags are equal. For `use`, `--watch` of the run is no difference. */
async function changesFor(call: CommandContext, {asked}: RunIdentity, how: SecondUp): Promise<readonly string[]> {
  const watch = how === 'use' && asked?.flags.includes('--watch') === true ? ['--watch'] : []
  const wanted = (plan?: Plan): AskedRun => {
    const own = askedRun(call, plan)
    return {...own, flags: [...own.flags.filter(flag => !flag.startsWith('--run=')), ...watch]}
  }
  const ofFlags = differences(asked, wanted())
  if (ofFlags.length > 0 || asked?.parts === undefined) return ofFlags
  const {loadedTemplate} = await import('./selected-apps.ts')
  try {
    return differences(asked, wanted((await loadedTemplate(call)).plan))
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return [`the template has a mistake: ${error.message}`]
  }
}

/**
 * Describes the differences between a run and another command line: flags, or else the template. Returns an empty list
 * for the same run. Ignores facts that either side does not know.
 */
function differences(run: AskedRun | undefined, wanted: AskedRun): readonly string[] {
  if (run === undefined) return []
  const flags = changesOf(run.flags, wanted.flags)
  if (flags.came.length + flags.gone.length > 0)
    return [...flags.came.map(flag => `it runs without ${flag}`), ...flags.gone.map(flag => `it runs with ${flag}`)]
  const [before, after] = [run.parts, wanted.parts]
  // a run with --watch applies edits by itself
  if (before === undefined || after === undefined || run.flags.includes('--watch')) return []
  const {came, gone} = changesOf(Object.keys(before), Object.keys(after))
  const edited = Object.keys(after).filter(key => key in before && before[key] !== after[key])
  return [
    ...came.map(key => `the template adds ${key}`),
    ...gone.map(key => `the template has no ${key} any more`),
    ...edited.map(key => `the template changes ${key}`)
  ]
}

const changesOf = (
  before: readonly string[],
  after: readonly string[]
): {readonly came: readonly string[]; readonly gone: readonly string[]} => ({
  came: after.filter(each => !before.includes(each)),
  gone: before.filter(each => !after.includes(each))
})
