/**
 * The rig: a folder, a state folder and a home of their own for one test, in which the built program runs as a user would run
 * it. It promises that nothing it started outlives the test, and that a test that fails shows all that was printed.
 */
import {mkdirSync, mkdtempSync, readdirSync, readFileSync} from 'node:fs'
import {mkdir, rename, rm, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {Switchboard, type Driven} from './command.ts'
import {LIMIT_MS, limitAlone} from './limit.ts'
import {STALLED_MS} from './output.ts'
import {Program} from './program.ts'
import {tieRigs} from './tie-rigs.ts'
import {descendantsOf, isAlive, stateOf, tracesCarrying, type Trace} from './traces.ts'
import {untrackChildren} from './untracked.ts'

untrackChildren()
await limitAlone()

/** What the rig needs of tap's test. */
export interface Scene {
  teardown(close: () => Promise<void>): void
  passing(): boolean
}

export interface RigOptions {
  /** What stands for `pillion`; without it the program at PILLION, or the built one in our Node. */
  readonly program?: readonly string[]
}

export interface StartOptions {
  /** Below the rig's folder. */
  readonly folder?: string
  readonly env?: Readonly<Record<string, string>>
}

/** An app of a template; keys as the template has them. JSON is YAML, so values go in as they are. */
export type TemplateApp = Readonly<{appID: string} & Record<string, unknown>>

const ROOT = join(import.meta.dirname, '../..')
const DRIVEN = join(ROOT, 'test/fixtures/apps/driven.mjs')

/** The built program in our Node, also where PILLION names the executable: that reads no NODE_OPTIONS. */
export const IN_NODE: readonly string[] = [process.execPath, join(ROOT, 'bin/pillion.js')]

const usualProgram = (): readonly string[] => {
  const binary = process.env['PILLION']
  return binary === undefined ? IN_NODE : [binary]
}

/** A rig for one test; it is closed when the test ends. */
export async function openRig(scene: Scene, {program = usualProgram()}: RigOptions = {}): Promise<Rig> {
  const rig = new Rig(program)
  scene.teardown(async () => rig.close(scene.passing()))
  await rig.open()
  return rig
}

export class Rig {
  /** Where templates and apps are written, and where programs start. */
  readonly folder: string
  readonly home: string
  /** What stands for `pillion`. */
  readonly program: readonly string[]
  readonly runtimeDir: string
  /** For a template's `command`: an app that the test drives, see `driven`. */
  readonly drivenCommand: readonly string[] = [process.execPath, DRIVEN]
  readonly #root: string
  readonly #switchboard: Switchboard
  readonly #programs: Program[] = []
  /** Children that were seen, for those who carry no mark. */
  readonly #offspring: Trace[] = []
  #saves = 0

  constructor(program: readonly string[]) {
    this.program = program
    this.#root = mkdtempSync(tieRigs())
    this.folder = join(this.#root, 'work')
    this.home = join(this.#root, 'home')
    this.runtimeDir = join(this.#root, 'run')
    for (const folder of [this.folder, this.home, this.runtimeDir]) mkdirSync(folder, {mode: 0o700})
    this.#switchboard = new Switchboard(join(this.#root, 's'))
  }

  async open(): Promise<void> {
    await this.#switchboard.open()
  }

  /**
   * Writes files below the folder: their paths and texts. Each is saved in one step, as editors do that rename: on a busy
   * machine nobody sees it empty, and a save is one change.
   */
  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.folder, name)
      const unsaved = join(this.#root, `unsaved-${++this.#saves}`)
      await mkdir(dirname(path), {recursive: true})
      await writeFile(unsaved, text)
      await rename(unsaved, path)
    }
  }

  /** Writes `dapr.yaml`. An app without `appDirPath` gets a folder of its id's name, one without `command` is driven. */
  async template(
    apps: readonly TemplateApp[],
    common: Readonly<Record<string, unknown>> = {},
    more: Readonly<Record<string, unknown>> = {}
  ): Promise<void> {
    const whole = apps.map(app => ({appDirPath: app.appID, command: this.drivenCommand, ...app}))
    for (const {appDirPath} of whole) await mkdir(join(this.folder, appDirPath), {recursive: true})
    await this.write({'dapr.yaml': JSON.stringify({version: 1, ...more, common, apps: whole}, null, 2)})
  }

  /** Starts pillion. */
  pillion(args: readonly string[], options: StartOptions = {}): Program {
    return this.start([...this.program, ...args], options)
  }

  /** Starts any program where pillion would be started, as it would be. */
  start(command: readonly string[], {folder = '.', env = {}}: StartOptions = {}): Program {
    const program = new Program({command, folder: join(this.folder, folder), env: {...this.#environment(), ...env}})
    this.#programs.push(program)
    void this.#noteOffspring(program)
    return program
  }

  /** Runs pillion to its end. */
  async run(
    args: readonly string[],
    options: StartOptions = {}
  ): Promise<{readonly code: number | null; readonly stdout: string; readonly stderr: string}> {
    const program = this.pillion(args, options)
    program.stdin.end()
    const {code} = await program.exited
    return {code, stdout: program.stdout.text, stderr: program.stderr.text}
  }

  /** Runs pillion to its end again and again, with pauses, until its stdout holds the text; gives that stdout. */
  async until(args: readonly string[], text: string): Promise<string> {
    for (const end = performance.now() + LIMIT_MS / 2; ; await pause(100)) {
      const {stdout, stderr} = await this.run(args)
      if (stdout.includes(text)) return stdout
      if (performance.now() > end)
        throw new Error(`no ${text} in what ${args.join(' ')} printed last:\n${stdout}${stderr}`)
    }
  }

  /** Waits until the log of an app's sidecar has such a line: a log is written behind what it tells of. */
  async logged(id: string, line: RegExp): Promise<void> {
    const folder = join(this.folder, id, '.dapr/logs')
    for (const end = performance.now() + STALLED_MS; ; await pause(10)) {
      const names = readdirSync(folder).filter(name => name.startsWith(`${id}_daprd_`))
      const text = names.map(name => readFileSync(join(folder, name), 'utf8')).join('')
      if (line.test(text)) return
      if (performance.now() > end) throw new Error(`no ${String(line)} in the log of ${id}:\n${text}`)
    }
  }

  /** The next life of a driven app: resolves when its process has connected. Each life is given out once. */
  async driven(id: string): Promise<Driven> {
    return this.#switchboard.next(id)
  }

  /**
   * What was started through the rig and still processes, programs of the rig that have not ended included: `pid command` each.
   * Looks until nothing is left, for `timeoutMs` at most.
   */
  async leftovers(timeoutMs = 10_000): Promise<readonly string[]> {
    const end = performance.now() + timeoutMs
    let left = this.#living()
    while (left.length > 0 && performance.now() < end) {
      await pause(20)
      left = this.#living()
    }
    return left.map(({pid, command}) => `${pid} ${command}`)
  }

  /** Ends everything; shows what was printed when the test has not passed. */
  async close(hasPassed: boolean): Promise<void> {
    const states = hasPassed ? '' : this.#states()
    for (const program of this.#programs) program.signal('SIGTERM')
    const ended = Promise.all(this.#programs.map(async ({exited}) => exited))
    await Promise.race([ended, pause(8000, undefined, {ref: false})])
    for (const trace of this.#living()) this.#kill(trace)
    await this.leftovers()
    await this.#switchboard.close()
    await rm(this.#root, {recursive: true, force: true, maxRetries: 20})
    if (!hasPassed) process.stderr.write(states + this.#programs.map(program => program.report()).join(''))
  }

  /** What each process does that is still there. */
  #states(): string {
    return this.#living()
      .map(({pid, command}) => `${pid} ${command}\n  ${stateOf(pid)}\n`)
      .join('')
  }

  /** An assignment in the environment of all that comes from this rig: the socket's path is nobody else's. */
  get marker(): string {
    return `RIG_SOCKET=${this.#switchboard.path}`
  }

  /** With the first line sidecars and apps are there, and so is whatever watches over them. */
  async #noteOffspring({pid, stdout}: Program): Promise<void> {
    try {
      await stdout.line(/^/, {limitMs: 60_000})
      this.#offspring.push(...descendantsOf(pid))
    } catch {
      // it printed nothing: what it started is found by the mark alone
    }
  }

  #living(): readonly Trace[] {
    const marked = tracesCarrying(this.marker)
    const unmarked = this.#offspring.filter(trace => isAlive(trace) && marked.every(({pid}) => pid !== trace.pid))
    return [...marked, ...unmarked]
  }

  /** Kills one process that is surely ours: it carried the mark or was seen as a child, and its start time is the same. */
  #kill(trace: Trace): void {
    if (!isAlive(trace)) return
    try {
      process.kill(trace.pid, 'SIGKILL')
    } catch {
      // it ended in between
    }
  }

  /** Nothing of ours but the way to Node: no colours, no settings, no hooks of the test runner. */
  #environment(): Readonly<Record<string, string>> {
    return {
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
      HOME: this.home,
      LANG: 'C.UTF-8',
      PILLION_RUNTIME_DIR: this.runtimeDir,
      PILLION_NAMES: '0', // the entrance is the machine's
      RIG_SOCKET: this.#switchboard.path
    }
  }
}
