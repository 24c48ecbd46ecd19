import {randomBytes} from 'node:crypto'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import type {Test} from 'tap'
import {afterExit} from '../../../../src/supervisor/process/restart-policy.ts'
import {SupervisedApp, type SupervisedOptions} from '../../../../src/supervisor/process/supervised-app.ts'
import {endMarked} from '../../../../src/supervisor/process/end-group.ts'
import {seeInProc} from '../../../../src/platform/proc.ts'
import {look} from '../../../../src/platform/process-table.ts'
import type {Note, Supervised} from '../../../../src/supervisor/process/supervised.ts'
import type {Lines} from '../../../../src/model/events.ts'
import type {AppPlan} from '../../../../src/model/plan.ts'
import type {AppState, Phase} from '../../../../src/model/app-state.ts'
import {planOf} from '../../../rig/plan.ts'
import {untrackChildren} from '../../../rig/untracked.ts'

untrackChildren()

/** A small program of ours, run by this Node. */
export const fixture = (name: string, ...args: readonly string[]): readonly string[] => [
  process.execPath,
  join(import.meta.dirname, '../../../fixtures/apps', name),
  ...args
]

export const script = (text: string): readonly string[] => ['sh', '-c', text]

const isReady = (state: AppState): boolean => state.phase === 'running' && state.ready

/** Everything that one app did, and ways to wait for it. */
export class Witness {
  readonly states: AppState[] = []
  readonly notes: Note[] = []
  readonly text = {stdout: '', stderr: '', status: ''}
  readonly #lookers = new Set<() => void>()

  readonly moved = (state: AppState): void => this.#see(() => this.states.push(state))
  readonly noted = (note: Note): void => this.#see(() => this.notes.push(note))
  readonly lines = ({stream, text}: Lines): undefined => {
    this.#see(() => (this.text[stream] += text))
    return undefined
  }

  get phases(): readonly Phase[] {
    return this.states.map(({phase}) => phase)
  }

  /** Settles when the condition holds; a wait that stalls fails with all that was seen. */
  async until(what: string, holds: () => boolean, limitMs = 60_000): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const stalled = (): void => {
        this.#lookers.delete(check)
        const {states, notes, text} = this
        reject(new Error(`never: ${what}; seen: ${JSON.stringify({states, notes, text})}`))
      }
      const timer = setTimeout(stalled, limitMs)
      const check = (): void => {
        if (!holds()) return
        clearTimeout(timer)
        this.#lookers.delete(check)
        resolve()
      }
      this.#lookers.add(check)
      check()
    })
  }

  /** The first match on stdout, or on both streams. */
  async seen(pattern: RegExp): Promise<RegExpExecArray> {
    const find = (): RegExpExecArray | null => pattern.exec(this.text.stdout) ?? pattern.exec(this.text.stderr)
    await this.until(`output like ${pattern.source}`, () => find() !== null)
    const match = find()
    if (match === null) throw new Error('it matched a moment ago')
    return match
  }

  async phase(phase: Phase, nth = 1): Promise<void> {
    await this.until(`${phase} number ${nth}`, () => this.phases.filter(seen => seen === phase).length >= nth)
  }

  async ready(nth = 1): Promise<void> {
    await this.until(`ready number ${nth}`, () => this.states.filter(isReady).length >= nth)
  }

  #see(note: () => void): void {
    note()
    for (const check of this.#lookers) check()
  }
}

/** A program of its own, which no save restarts. */
export const ALONE = {isCurrent: true, isWatched: false, untilFinished: false, maySleep: false}

/** What a test starts carries one mark; whatever of it is left at the end fails the test and is killed. */
export class Scene {
  readonly run = randomBytes(16).toString('hex')
  readonly #apps: Supervised[] = []
  readonly #t: Test

  constructor(t: Test) {
    this.#t = t
    t.teardown(async () => this.#close())
  }

  get marker(): string {
    return `PILLION_RUN=${this.run}`
  }

  environment(marker = 'x'): Record<string, string> {
    return {PATH: process.env['PATH'] ?? '', PILLION_RUN: this.run, PILLION_LIFE: `${this.run}-${marker}`}
  }

  app(
    wishes: Partial<AppPlan>,
    options: Partial<SupervisedOptions> = {}
  ): {readonly app: SupervisedApp; readonly witness: Witness} {
    const witness = new Witness()
    const {moved, noted, lines} = witness
    const plan = planOf(wishes)
    const name = `${this.#apps.length}.`
    const app = new SupervisedApp({
      plan,
      environment: marker => ({...this.environment(`${name}${marker}`), ...plan.env}),
      processMarker: marker => `${this.run}-${name}${marker}`,
      appPort: plan.channel.port,
      moved,
      noted,
      lines,
      next: ended => afterExit(ended, ALONE),
      ...options
    })
    this.#apps.push(app)
    return {app, witness}
  }

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'pillion-test-'))
    this.#t.teardown(async () => rm(folder, {recursive: true, force: true}))
    return folder
  }

  /** Pids of what carries the mark of this test. */
  async left(): Promise<readonly number[]> {
    const {all, carries} = await look()
    return all.filter(({pid, isZombie}) => !isZombie && carries(pid, this.marker)).map(({pid}) => pid)
  }

  async #close(): Promise<void> {
    await Promise.all(this.#apps.map(async app => app.stop('run ends')))
    const left = await this.left()
    await endMarked({marker: this.marker, graceMs: 0, ended: ({command}) => this.#t.comment(`left behind: ${command}`)})
    if (left.length > 0) throw new Error(`left behind: ${left.join(' ')}`)
  }
}

/** A zombie is dead, whoever should have reaped it. */
export const isAlive = (pid: number): boolean => seeInProc(pid)?.isZombie === false

/** For the one wait that proves that something does not happen. */
export const quietly = async (ms: number): Promise<void> => sleep(ms)
