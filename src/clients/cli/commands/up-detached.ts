import {closeSync, openSync, readdirSync, readFileSync, renameSync, rmSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {runOfProcess, unlessGone, type FoundRun} from '../../../control/client.ts'
import {roughDuration} from '../../../model/duration.ts'
import {messageOf, UserError} from '../../../model/errors.ts'
import type * as Api from '../../../model/api.generated.ts'
import {shellQuoted} from '../../../model/shell-quoted.ts'
import {orElse} from '../../../model/or-else.ts'
import {TEMPLATE_NAMES} from '../../../model/template-name.ts'
import {isSameTemplate} from '../../../platform/paths.ts'
import {makeFolder} from '../../../platform/make-folder.ts'
import {startOwnProgram, type OwnProcess} from '../../../platform/own-program.ts'
import {startOf} from '../../../platform/process-table.ts'
import {type CommandContext, UsageError} from '../command-handler.ts'
import {COMMAND_FLAGS} from '../entries/run.ts'
import type {GivenFlags} from '../given-flags.ts'
import {readyText} from '../live/texts.ts'
import {commandPlace, runPlace, shownPath} from '../pick-run.ts'
import {print} from '../print.ts'
import {say} from '../say.ts'
import {flagDuration} from '../since.ts'
import {sayUnmet} from './wait.ts'
import {outputColumns} from '../columns.ts'

const LOOK_MS = 25
const EXIT_NOT_IN_TIME = 124

/**
 * `up -d`: starts the run in the background and waits until its apps are ready. Warnings of the run go to `.dapr/logs/up.log` next to
 * the template; what comes of a start that fails is shown alone. Exits with 0 if all apps are ready or the run has ended well, with 1 if one cannot become ready
 * or the run has failed, with 124 if `--timeout` is over. Ctrl-C while it waits stops the run.
 */
export async function upDetached({flags, words, asJson}: CommandContext): Promise<number> {
  const timeoutMs = timeoutOf(flags)
  const isPiped = flags.list('run-file').includes('-')
  const log = openLog(flags, isPiped)
  const startedAt = performance.now()
  const child = startOwnProgram(['up', '--background', ...asArguments(flags), '--', ...words], {
    stdin: isPiped ? 0 : 'ignore',
    stderr: log.descriptor
  })
  closeSync(log.descriptor)
  // by the pid of the run: it stays that of a living one, also if we are killed
  const own = `${log.path}.${child.pid}`
  orElse(() => renameSync(`${log.path}.${process.pid}`, own), undefined)
  let isStopped = false
  const stop = (): void => {
    isStopped = true
    child.interrupt()
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const late = startedAt + timeoutMs
  const seen = await startedRun(child, late)
  const found = seen === undefined && isStopped ? await child.exited : seen
  const hasFailed = typeof found === 'number' || typeof found === 'string'
  if (!hasFailed) orElse(() => renameSync(own, log.path), undefined) // if it was removed meanwhile, the run is there all the same
  const leftMs = Math.max(1, Math.ceil(late - performance.now()))
  const {waited, apps} = typeof found === 'object' ? await readiness(found, leftMs) : {}
  print(process.stderr, readFileSync(log.reader, 'utf8'))
  if (hasFailed) rmSync(own, {force: true})
  if (typeof found === 'string') throw new UserError(`the run could not be started: ${found}`)
  if (typeof found === 'number') return found || Number(isStopped)
  if (found === undefined) {
    const text = `the run is not there after ${roughDuration(timeoutMs)}: it continues in the background, and writes to ${log.path}`
    say(process.stderr, 'failure', text, asJson)
    return EXIT_NOT_IN_TIME
  }
  const {name, template} = found.listing
  const isHere = isSameTemplate(template.file, runPlace(undefined).template)
  // by its name no other run of the folder is meant
  const of = isHere && flags.text('name') === undefined ? '' : ` --name ${name}`
  if (waited === undefined || apps === undefined || isStopped) {
    const ended = isHere || template.file === '' ? of : ` --run-file ${shellQuoted(shownPath(template.file))}`
    const isWell = (await child.exited) === 0 && waited?.outcome !== 'impossible' && !isStopped
    const text = `the run has ended: pillion logs${ended} shows what its apps wrote`
    say(process.stderr, isWell ? 'info' : 'failure', text, asJson)
    return isWell ? 0 : 1
  }
  const hint = apps.some(({pid}) => pid > 0)
    ? `pillion logs -f${of} follows · pillion down${of} stops`
    : `pillion why${of} says more`
  const tookMs = performance.now() - startedAt
  print(process.stdout, readyText(apps, {name: '', tookMs, width: outputColumns(1), rows: Infinity, hint}))
  for (const each of waited.conditions.filter(({state}) => state !== 'met')) sayUnmet(each, asJson)
  if (waited.outcome === 'timeout') return EXIT_NOT_IN_TIME
  return waited.outcome === 'met' && !apps.some(({availability}) => availability === 'never') ? 0 : 1
}

function timeoutOf(flags: GivenFlags): number {
  const other = COMMAND_FLAGS.map(({name}) => name).find(name => name !== 'timeout' && flags.names.includes(name))
  if (other !== undefined) throw new UsageError(`--${other} and --detach exclude each other`)
  return flagDuration('timeout', flags.text('timeout') ?? '60s')
}

interface Log {
  /** Where it is found once the run is there: that of the last run is replaced. Until then a pid follows: of two starts at once each has its own. */
  readonly path: string
  readonly descriptor: number
  /** Reads it from its beginning, whatever it is called by then. */
  readonly reader: number
}

/** Opens the file for the run's warnings. Throws a UserError if it cannot be written. */
function openLog(flags: GivenFlags, isPiped: boolean): Log {
  const place = commandPlace(flags.with({'run-file': isPiped ? undefined : flags.list('run-file')[0]}))
  const folder = join(place.template === undefined ? place.folder : dirname(place.template), '.dapr/logs')
  const {template = '', name = ''} = place
  // other runs of the folder go on writing into theirs
  const names = [(TEMPLATE_NAMES as readonly string[]).includes(basename(template)) ? '' : basename(template), name]
  const path = join(folder, `up${names.map(each => each && `-${encodeURIComponent(each)}`).join('')}.log`)
  try {
    makeFolder(folder)
    for (const left of readdirSync(folder).filter(isLeft)) rmSync(join(folder, left), {force: true})
    const own = `${path}.${process.pid}`
    // each makes the file if it is not there
    return {path, reader: openSync(own, 'a+', 0o600), descriptor: openSync(own, 'a', 0o600)}
  } catch (error) {
    throw new UserError(`cannot write ${path}: ${messageOf(error)}`, {cause: error})
  }
}

/** The log of an `up -d` that was killed before it could name it, and of no living run. */
function isLeft(name: string): boolean {
  const [, pid] = /^up(?:-.+)?\.log\.(\d+)$/.exec(name) ?? []
  return pid !== undefined && (Number(pid) === process.pid || startOf(Number(pid)) === 0)
}

/** The flags as they are typed, without those that are about us alone. */
const asArguments = (flags: GivenFlags): readonly string[] =>
  flags.names
    .filter(name => name !== 'detach' && name !== 'timeout')
    .flatMap(name => {
      const text = flags.text(name) ?? flags.int(name)?.toString()
      if (text !== undefined) return [`--${name}=${text}`]
      return flags.isSet(name) ? [`--${name}`] : flags.list(name).map(value => `--${name}=${value}`)
    })

/** The run of this process, once it responds; how the process has ended if that comes first; undefined: it is late (`performance.now()`). */
async function startedRun(child: OwnProcess, late: number): Promise<FoundRun | number | string | undefined> {
  let end: number | string | undefined
  void child.exited.then(how => (end = how))
  for (;;) {
    const run = await runOfProcess(process.env, child.pid)
    if (run !== undefined) return run
    if (end !== undefined) return end
    if (performance.now() >= late) return undefined
    await pause(LOOK_MS)
  }
}

/** The process of `up -d` that stays: all that it says comes on stderr. */
export async function runDetached(run: () => Promise<number>): Promise<number> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const {message, explanation, exitCode, cause} = error
    throw new UserError(message, {stream: 'stderr', explanation, exitCode, cause})
  }
}

interface Readiness {
  readonly waited?: Api.Waited | undefined
  readonly apps?: readonly Api.App[] | undefined
}

/** What is missing the run has not answered: it has ended. */
async function readiness({api}: FoundRun, timeoutMs: number): Promise<Readiness> {
  const body = {for: ['ready'], any: false, ignore: [], from: 'start', timeout: `${timeoutMs}ms`}
  const waited = await unlessGone(async () => api.ask('POST /wait', {body}), undefined)
  const answer = waited && (await unlessGone(async () => api.ask('GET /apps'), undefined))
  return {waited, apps: answer?.apps}
}
