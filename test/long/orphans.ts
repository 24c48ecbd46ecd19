/**
 * The orphan matrix: ways in which a run ends × kinds of children × where its output goes × form. A cell is a run of the
 * built program; when it has ended nothing that it started may live, `GRACE + 0.5 s` after the end was asked for (on a machine
 * that does nothing else).
 */
import {execFile} from 'node:child_process'
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {promisify} from 'node:util'
import type {Test} from 'tap'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {descendantsOf, isAlive, type Trace} from '../rig/traces.ts'

const ENDS = ['TERM', 'HUP', 'INT', 'INT twice', 'stop', 'KILL', 'ABRT'] as const
export type End = (typeof ENDS)[number]
export const OUTPUTS = ['pipe', 'terminal'] as const
type Output = (typeof OUTPUTS)[number]
/** Those that a terminal brings, and one that tells nothing: for the others it is no other output than a pipe. */
const TERMINAL_ENDS: readonly End[] = ['HUP', 'INT', 'KILL']

export const endsOf = (output: Output): readonly End[] => (output === 'pipe' ? ENDS : TERMINAL_ENDS)

const DEAF = join(import.meta.dirname, '../fixtures/apps/deaf.sh')
const GO_MAIN =
  'package main\n\nimport (\n\t"fmt"\n\t"time"\n)\n\nfunc main() {\n\tfmt.Println("up")\n\ttime.Sleep(5 * time.Minute)\n}\n'

/** Each says `up`, or `deaf` and its number, when its last process is there. */
export const KINDS = {
  plain: ['sh', '-c', 'echo up; exec sleep 300'],
  wrapper: ['sh', '-c', 'sh -c "echo up; exec sleep 300"; true'],
  npm: ['npm', 'start'],
  deaf: ['sh', '-c', `sh ${DEAF} & wait`],
  session: ['sh', '-c', 'setsid sh -c "echo up; exec sleep 300" & wait'],
  go: ['go', 'run', '.']
} as const satisfies Readonly<Record<string, readonly string[]>>
export type Kind = keyof typeof KINDS

const ALL_KINDS = Object.keys(KINDS) as readonly Kind[]
const IS_UP = /(^|\s)(up|deaf \d+)\r?$/

/** How much later than promised a machine may be that is busy with other tests: what outlives that was forgotten. */
export const BUSY_MS = 20_000
/** Each deaf one forks twenty times a second. */
const MAX_AT_ONCE = 3

export interface Workshop {
  readonly folder: string
  /** What `go` and `npm` need, since the rig's home is empty. */
  readonly env: Readonly<Record<string, string>>
  readonly kinds: readonly Kind[]
}

/** A folder in which every kind of child can be started; Go's program is compiled once. Without Go its cells are left out. */
export async function openWorkshop(t: Test, wanted: readonly Kind[] = ALL_KINDS): Promise<Workshop> {
  const folder = mkdtempSync('/tmp/orphans-')
  t.teardown(() => rmSync(folder, {recursive: true, force: true}))
  mkdirSync(join(folder, 'tmp')) // a `go run` that is killed leaves its folder
  const env = {
    TMPDIR: join(folder, 'tmp'),
    npm_config_update_notifier: 'false',
    npm_config_cache: join(folder, 'npm'),
    GOTOOLCHAIN: 'local'
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({scripts: {start: 'echo up && sleep 300'}}))
  writeFileSync(join(folder, 'go.mod'), 'module orphan\n')
  writeFileSync(join(folder, 'main.go'), GO_MAIN)
  if (!wanted.includes('go')) return {folder, env, kinds: wanted}
  try {
    const go = async (...args: readonly string[]) => promisify(execFile)('go', args, {cwd: folder})
    await go('build', '-o', '/dev/null', '.')
    return {folder, kinds: wanted, env: {...env, GOCACHE: (await go('env', 'GOCACHE')).stdout.trim()}}
  } catch (error) {
    t.comment(`no cells of "go run": ${String(error)}`)
    return {folder, env, kinds: wanted.filter(kind => kind !== 'go')}
  }
}

export interface Cell {
  readonly end: End
  readonly output: Output
  /** All in one template, or one of them as a single app. */
  readonly kinds: readonly Kind[]
  readonly form: 'template' | 'single'
  readonly graceMs: number
}

/** Fills many cells, some at a time. */
export async function fill(t: Test, workshop: Workshop, cells: readonly Cell[]): Promise<void> {
  const waiting = [...cells]
  const worker = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
      const {end, kinds, form, output} = cell
      const own = cell
      await t.test(`nothing outlives ${end}: ${form}, ${output}, ${kinds.join()}`, async t => tryCell(t, workshop, own))
    }
  }
  t.jobs = MAX_AT_ONCE
  await Promise.all(Array.from({length: MAX_AT_ONCE}, worker))
}

async function tryCell(t: Test, workshop: Workshop, cell: Cell): Promise<void> {
  const rig = await openRig(t)
  const {run, pid} = await begin(rig, workshop, cell)
  const watchdog = await watchdogOf(pid)
  const asked = performance.now()
  await ask(rig, {cell, run, pid})
  const limitMs = cell.graceMs + 500 + BUSY_MS
  const left = await survivors(rig, asked + limitMs)
  const tookMs = performance.now() - asked
  t.same(left, [])
  t.comment(`${tookMs.toFixed(0)} ms, grace ${cell.graceMs} ms`)
  await run.exited
  t.notOk(await outlasts(watchdog, 1000 + BUSY_MS), 'the watchdog is gone')
}

/** Starts a run and waits until the last child is up. */
async function begin(
  rig: Rig,
  {folder, env}: Workshop,
  {form, kinds, graceMs, output}: Cell
): Promise<{run: Program; pid: number}> {
  const stop = {timeout: `${graceMs}ms`}
  if (form === 'template')
    await rig.template(kinds.map(kind => ({appID: kind, appDirPath: folder, command: KINDS[kind], stop})))
  const args =
    form === 'template' ? ['-f', rig.folder] : ['--app-id', 'only', '--', ...kinds.flatMap(kind => KINDS[kind])]
  const pidFile = join(rig.folder, 'pid')
  const shell = [
    'sh',
    '-c',
    'echo $$ >"$0"; cd "$1"; shift; exec "$@"',
    pidFile,
    folder,
    ...rig.program,
    'run',
    ...args
  ]
  const command = output === 'pipe' ? shell : ['script', '-qec', shell.map(quoted).join(' '), '/dev/null']
  const run = rig.start(command, {env})
  const ups = kinds.map(async (_, index) => nthUp(run, index + 1))
  await Promise.all(ups)
  if (form === 'single') await run.waitForLine("You're up and running")
  // on a terminal the apps of a template have no such lines
  else if (output === 'pipe') await run.waitForLine('Writing log files', {nth: kinds.length})
  return {run, pid: Number(readFileSync(pidFile, 'utf8'))}
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

const nthUp = async (run: Program, nth: number): Promise<unknown> => run.waitForLine(IS_UP, {nth, limitMs: 60_000})

async function ask(rig: Rig, {cell, run, pid}: {cell: Cell; run: Program; pid: number}): Promise<void> {
  const {end, form} = cell
  if (end === 'stop') await rig.run(form === 'template' ? ['stop', '-f', rig.folder] : ['stop', '--app-id', 'only'])
  else if (end !== 'INT twice') process.kill(pid, `SIG${end}`)
  else {
    process.kill(pid, 'SIGINT')
    await run.waitForLine(/Received signal|terminated signal|stopping \d/)
    if (!run.hasExited) kill(pid, 'SIGINT')
  }
}

/** Also of a process that was quicker, or of none. */
export function kill(pid: number | undefined, name: NodeJS.Signals = 'SIGKILL'): void {
  try {
    if (pid !== undefined) process.kill(pid, name)
  } catch {
    // it was quicker
  }
}

/** The watchdog among the children of a run, if there is one now. */
export const watchdogNow = (pid: number): Trace | undefined => descendantsOf(pid).find(isWatchdog)

/** The watchdog of a run, as soon as it is there. */
export async function watchdogOf(pid: number, isMeant: (trace: Trace) => boolean = () => true): Promise<Trace> {
  for (const end = performance.now() + BUSY_MS; performance.now() < end; await pause(20)) {
    const watchdog = watchdogNow(pid)
    if (watchdog !== undefined && isMeant(watchdog)) return watchdog
  }
  throw new Error('no watchdog')
}

const isWatchdog = ({command}: {readonly command: string}): boolean => command.includes(' pillion-watchdog ')

/** What is left but for watchdogs: looks until nothing is, or until that moment. */
export async function survivors(rig: Rig, until: number): Promise<readonly string[]> {
  for (;;) {
    const left = (await rig.leftovers(0)).filter(command => !isWatchdog({command}))
    if (left.length === 0 || performance.now() > until) return left
    await pause(100)
  }
}

/** Whether a process processes longer than that. */
export async function outlasts(trace: Trace, ms: number): Promise<boolean> {
  for (const end = performance.now() + ms; ; await pause(20)) {
    if (!isAlive(trace)) return false
    if (performance.now() >= end) return true
  }
}
