import {closeSync, openSync, readdirSync, readFileSync, renameSync, rmSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {runOfProcess, type FoundRun} from '../../../control/client.ts'
import {startingRuns} from '../../../control/starting-runs.ts'
import {roughDuration} from '../../../model/duration.ts'
import {messageOf, UserError} from '../../../model/errors.ts'
import {shellQuoted} from '../../../model/shell-quoted.ts'
import {orElse} from '../../../model/or-else.ts'
import {TEMPLATE_NAMES} from '../../../model/template-name.ts'
import {isSameTemplate} from '../../../platform/paths.ts'
import {makeFolder, refusesWrites, spareFolder} from '../../../platform/make-folder.ts'
import {startOwnProgram, type OwnProcess} from '../../../platform/own-program.ts'
import {startOf as startOfProcess} from '../../../platform/process-table.ts'
import {type CommandContext, UsageError} from '../command-handler.ts'
import {COMMAND_FLAGS} from '../run-flags.ts'
import type {GivenFlags} from '../given-flags.ts'
import {commandPlace, runPlace, shownPath} from '../pick-run.ts'
import {print} from '../print.ts'
import {reportReady} from '../ready-report.ts'
import {say} from '../say.ts'
import {flagDuration} from '../since.ts'

const LOOK_MS = 25
const EXIT_NOT_IN_TIME = 124

/**
 * `up -d`: starts the run in the background and waits until its apps are ready. Warnings of the run go to `.dapr/logs/up.log` next to
 * the template; the command prints those of the start. Exits with 0 if all apps are ready or the run has ended well, with 1 if one cannot become ready
 * or the run has failed, with 124 if `--timeout` is over. Ctrl-C while the command waits stops the run.
 */
export async function upDetached(call: CommandContext): Promise<number> {
  const {flags, words, asJson} = call
  const timeoutMs = timeoutOf(flags)
  const isPiped = flags.list('run-file').includes('-')
  const log = openLog(flags, isPiped)
  const startedAt = performance.now()
  const child = startOwnProgram(['up', '--background', ...flags.typed(OF_DETACH), '--', ...words], {
    stdin: isPiped ? 0 : 'ignore',
    stderr: log.descriptor
  })
  closeSync(log.descriptor)
  // the name of the log ends with the pid of the run instead of this command, which may be killed earlier
  const own = `${log.path}.${child.pid}`
  orElse(() => renameSync(`${log.path}.${process.pid}`, own), undefined)
  const stopped = new AbortController()
  const stop = (): void => {
    stopped.abort()
    child.interrupt()
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const tell = (text: string): void => say(process.stderr, 'pending', `${text}, output in ${own}`, asJson)
  const first = await startOf(child, {timeoutMs, tell})
  const start = first.kind === 'late' && stopped.signal.aborted ? await endOf(child) : first
  if (start.kind === 'started' || start.kind === 'late') orElse(() => renameSync(own, log.path), undefined) // ignores failures: the run continues although the user has removed its log
  else {
    showLog(log)
    rmSync(own, {force: true})
  }
  switch (start.kind) {
    case 'failed':
      throw new UserError(`the run could not be started: ${start.why}`)
    case 'exited':
      return start.code || Number(stopped.signal.aborted)
    case 'late': {
      showLog(log)
      const text = `the run is not there after ${roughDuration(timeoutMs)}: it continues in the background, and writes to ${log.path}`
      say(process.stderr, 'failure', text, asJson)
      return EXIT_NOT_IN_TIME
    }
    case 'started':
      return reportStarted(call, start, {startedAt, log, child, stopped: stopped.signal})
  }
}

const showLog = ({reader}: Log): void => print(process.stderr, readFileSync(reader, 'utf8'))

interface StartedRun {
  /** When the command began, in ms of `performance.now()`. */
  readonly startedAt: number
  readonly log: Log
  readonly child: OwnProcess
  /** Aborted when the user stops the run. */
  readonly stopped: AbortSignal
}

/** Waits until the apps are ready, and reports them, or the end of the run. Returns the exit code. */
async function reportStarted(
  call: CommandContext,
  {run, leftMs}: Extract<Start, {kind: 'started'}>,
  {startedAt, log, child, stopped}: StartedRun
): Promise<number> {
  const {name, template} = run.listing
  const isHere = isSameTemplate(template.file, runPlace(undefined).template)
  // a run that `--name` selects needs the flag in each command
  const of = isHere && call.flags.text('name') === undefined ? '' : ` --name ${name}`
  let hasFailed = false
  const ready = (isImpossible: boolean): boolean => {
    showLog(log)
    hasFailed = isImpossible || stopped.aborted
    return !stopped.aborted
  }
  const code = await reportReady(run, {call, startedAt, timeoutMs: leftMs, of, isNew: true, ready})
  if (code !== undefined) return code
  const ended = isHere || template.file === '' ? of : ` --run-file ${shellQuoted(shownPath(template.file))}`
  const isWell = (await child.exited) === 0 && !hasFailed
  const text = `the run has ended: pillion logs${ended} shows what its apps wrote`
  say(process.stderr, isWell ? 'info' : 'failure', text, call.asJson)
  return isWell ? 0 : 1
}

/** Flags of `up -d` that are not for the run itself. */
const OF_DETACH = ['detach', 'timeout', 'output']

function timeoutOf(flags: GivenFlags): number {
  const other = COMMAND_FLAGS.map(({name}) => name).find(name => name !== 'timeout' && flags.names.includes(name))
  if (other !== undefined) throw new UsageError(`--${other} and --detach exclude each other`)
  return flagDuration('timeout', flags.text('timeout') ?? '60s')
}

interface Log {
  /** Path of the file once the run exists, in place of the last run's file. Until then its name ends with a pid, since two starts may happen at once. */
  readonly path: string
  readonly descriptor: number
  /** Descriptor that reads the file from its beginning, even after a change of its name. */
  readonly reader: number
}

/** Opens the file for the run's warnings. Throws a UserError if it cannot be written. */
function openLog(flags: GivenFlags, isPiped: boolean): Log {
  const place = commandPlace(flags.with({'run-file': isPiped ? undefined : flags.list('run-file')[0]}))
  const folder = join(place.template === undefined ? place.folder : dirname(place.template), '.dapr/logs')
  const {template = '', name = ''} = place
  // the name depends on the template and `--name`, since other runs of the folder write into logs of their own
  const names = [(TEMPLATE_NAMES as readonly string[]).includes(basename(template)) ? '' : basename(template), name]
  const file = `up${names.map(each => each && `-${encodeURIComponent(each)}`).join('')}.log`
  try {
    return openIn(folder, file)
  } catch (error) {
    const spare = refusesWrites(error) ? orElse(() => openIn(spareFolder(), file), undefined) : undefined
    if (spare !== undefined) return spare
    throw new UserError(`cannot write ${join(folder, file)}: ${messageOf(error)}`, {cause: error})
  }
}

function openIn(folder: string, file: string): Log {
  const path = join(folder, file)
  makeFolder(folder)
  for (const left of readdirSync(folder).filter(isLeft)) rmSync(join(folder, left), {force: true})
  const own = `${path}.${process.pid}`
  // 'a+' creates the file, and allows reading
  return {path, reader: openSync(own, 'a+', 0o600), descriptor: openSync(own, 'a', 0o600)}
}

/** Whether a log is of a dead process: its `up -d` was killed before it could rename the log. */
function isLeft(name: string): boolean {
  const [, pid] = /^up(?:-.+)?\.log\.(\d+)$/.exec(name) ?? []
  return pid !== undefined && (Number(pid) === process.pid || startOfProcess(Number(pid)) === 0)
}

/** Outcome of starting the run: it answers, its process has exited or could not start, or the timeout is over. */
type Start =
  | {readonly kind: 'started'; readonly run: FoundRun; readonly leftMs: number}
  | {readonly kind: 'exited'; readonly code: number}
  | {readonly kind: 'failed'; readonly why: string}
  | {readonly kind: 'late'}

const endOf = async ({exited}: OwnProcess): Promise<Start> => {
  const end = await exited
  return typeof end === 'number' ? {kind: 'exited', code: end} : {kind: 'failed', why: end}
}

/** Waits until the run responds, its process has ended, or the timeout is over. The time in which a worktree is prepared does not count. */
async function startOf(
  child: OwnProcess,
  {timeoutMs, tell}: {readonly timeoutMs: number; readonly tell: (text: string) => void}
): Promise<Start> {
  let end: Start | undefined
  void endOf(child).then(how => (end = how))
  let late = performance.now() + timeoutMs
  let shown: string | undefined
  for (let before = performance.now(); ; await pause(LOOK_MS)) {
    const run = await runOfProcess(process.env, child.pid)
    if (run !== undefined) return {kind: 'started', run, leftMs: Math.max(1, Math.ceil(late - performance.now()))}
    if (end !== undefined) return end
    const preparing = startingRuns(process.env).find(({pid}) => pid === child.pid)?.preparing
    const now = performance.now()
    if (preparing !== undefined) late += now - before
    if (preparing !== undefined && preparing !== shown) tell(preparing)
    shown = preparing ?? shown
    before = now
    if (now >= late) return {kind: 'late'}
  }
}

/** Runs the background process of `up -d`. Its errors go to stderr, which is the log. */
export async function runDetached(run: () => Promise<number>): Promise<number> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const {message, explanation, exitCode, code, cause} = error
    throw new UserError(message, {stream: 'stderr', explanation, exitCode, code, cause})
  }
}
