import {mkdirSync, mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {UserError} from '../../../src/model/errors.ts'
import type {Plan} from '../../../src/model/plan.ts'
import type {Run} from '../../../src/run/run.ts'
import {replaceBy} from '../replace-modules.ts'
import {SimulatedCalls} from '../simulated/calls.ts'
import {current, Machine} from '../simulated/machine.ts'
import {REPLACED} from '../simulated/replaced.ts'
import {ledgerOf} from './ledger.ts'
import {FIRST, IDS, textOf, type Template} from './template.ts'

const here = (name: string): string => new URL(name, import.meta.url).href
replaceBy(here('parts.ts'), REPLACED)
replaceBy(here('workspaces.ts'), [[/\/workspaces\.ts$/, /\/daeploy\/services\/services\.ts$/]])
replaceBy(here('folder-watch.ts'), [[/^node:fs$/, /\/src\/run\/run-resources\.ts$/]])
const {Run: SimulatedRun} = await import('../../../src/run/run.ts')
const {loadTemplate} = await import('../../../src/files/config/load.ts')
// what a run loads when it first needs it takes real time: the first walk would go another way than later ones
await Promise.all([
  import('../../../src/run/edits/watch-apps.ts'),
  import('../../../src/supervisor/reload/overlap.ts'),
  import('../../../src/run/edits/template-edits.ts'),
  import('../../../src/run/edits/close-for-edit.ts'),
  import('../../../src/run/open-published.ts'),
  import('../../../src/run/sleep/sleeping.ts'),
  import('../../../src/files/resources/resource-files.ts'),
  import('../../../src/dapr/components/block-types.ts'),
  import('../../../src/supervisor/messages/port-hint.ts')
])

const FIRST_RESOURCE =
  'apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec: {policies: {timeouts: {t: 9s}}}\n'

/** How long nothing may happen before the run counts as at rest, in ms, and how much of it passes at once. */
const REST_MS = 6000
const PIECE_MS = 300
/** Until an app that never comes up is given up: some four minutes. */
const MAX_PIECES = 1500

/** A run on an invented machine. */
export class House {
  readonly machine: Machine
  readonly folder: string
  readonly faults: string[] = []
  readonly warned: string[] = []
  /** What was sent and is not answered. */
  readonly calls: SimulatedCalls
  template: Template = FIRST
  before: Template = FIRST
  run: Run | undefined
  hasEnded = false
  /** It cannot be started: somebody else has a port of it, say. */
  hasFailed = false
  /** Commands that may be under way. */
  readonly left = new Set<Promise<unknown>>()

  constructor(seed: number, folder: string) {
    this.machine = new Machine(seed)
    this.folder = folder
    this.calls = new SimulatedCalls(this.machine)
  }

  static async open(seed: number): Promise<House> {
    const house = new House(seed, mkdtempSync(join(tmpdir(), 'edits-')))
    current.machine = house.machine
    for (const id of IDS) {
      mkdirSync(join(house.folder, `f-${id}`))
      house.write(`f-${id}/version.txt`, '0')
    }
    house.write('dapr.yaml', textOf(house.template))
    if (seed % 4 < 2) {
      house.template = {...FIRST, common: {resourcesPaths: ['res']}}
      house.write('res/x.yaml', FIRST_RESOURCE)
      house.write('dapr.yaml', textOf(house.template))
    }
    if (seed % 2 === 1) house.write('mine.yaml', 'common: {env: {MINE: "0"}}\n')
    await house.up()
    return house
  }

  write(path: string, text: string): void {
    this.machine.write(join(this.folder, path), text)
  }

  remove(path: string): void {
    this.machine.remove(join(this.folder, path))
  }

  has(path: string): boolean {
    return this.machine.files.has(join(this.folder, path))
  }

  /** What a run makes of code that fails, or of a broken file, depends on what was there before. True: there was some. */
  mendFiles(): boolean {
    const {files} = this.machine
    const bad = [...files].filter(([path, {text = ''}]) => !path.endsWith('.env') && /^bad|broken/.test(text))
    for (const [path, {text = ''}] of bad) {
      const resource = path.includes('config') ? FIRST_RESOURCE.replace('Resiliency', 'Configuration') : FIRST_RESOURCE
      this.machine.write(path, text.startsWith('bad') ? 'mended' : resource)
    }
    return bad.length > 0
  }

  /** The plan of the files as they are. Rejects if they have a mistake. */
  async load(): Promise<Plan> {
    const around = {cwd: this.folder, home: this.folder, env: {}, readStdin: () => ''}
    return (
      await this.machine.outside(
        loadTemplate(this.has('mine.yaml') ? ['dapr.yaml', 'mine.yaml'] : '.', around, {watch: true, profiles: []})
      )
    ).plan
  }

  async up(): Promise<void> {
    const run = new SimulatedRun({
      plan: await this.load(),
      env: {},
      form: {kind: 'template', prefixOf: () => undefined},
      output: {write: () => undefined, midLine: false},
      isTerminal: false,
      emit: event => {
        if (event.type !== 'warned') return
        this.warned.push(event.text)
        if (/cannot apply the edit|cannot watch|cannot read resources/.test(event.text))
          this.faults.push(`it says: ${event.text}`)
      },
      reread: async () => this.load()
    })
    this.run = run
    void run.ended.then(
      () => (this.hasEnded = true),
      (error: unknown) => this.faults.push(`the run has failed: ${String(error)}`)
    )
    await this.until(
      run.start().catch((error: unknown) => {
        if (!(error instanceof UserError)) throw error
        this.hasFailed = true
      })
    )
    await this.machine.pass(500)
  }

  get apps(): ReturnType<NonNullable<Run['control']>['list']>['apps'] {
    return this.hasEnded ? [] : (this.run?.control?.list().apps ?? [])
  }

  command(work: Promise<unknown> | undefined): void {
    if (work === undefined) return
    this.left.add(work)
    void work.catch(this.outcry).then(() => this.left.delete(work))
  }

  /** Lets time pass until this is over. */
  async until(work: Promise<unknown>): Promise<void> {
    const state = {isOver: false}
    const over = work.catch(this.outcry).then(() => (state.isOver = true))
    for (let i = 0; i < MAX_PIECES && !state.isOver; i++) {
      await this.machine.pass(PIECE_MS)
      // what copies or removes folders takes real time
      if (i % 100 === 99 && !state.isOver) await new Promise(resolve => setTimeout(resolve, 20))
    }
    if (state.isOver) await over
    else this.faults.push('what was begun does not end')
  }

  readonly outcry = (error: unknown): void => {
    this.faults.push(`nobody handles: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }

  async rest(): Promise<void> {
    await this.machine.pass(REST_MS)
    let quiet = 0
    for (let i = 0; i < MAX_PIECES && quiet < 20; i++) {
      await this.machine.pass(PIECE_MS)
      quiet = this.#isRestless ? 0 : quiet + 1
    }
    // a start waits for whatever the app depends on, also in a debugger
    const isWaiting = this.apps.some(
      ({state, isReady}) => ['idle', 'debugging'].includes(state) || (state === 'starting' && !isReady)
    )
    if (this.left.size > 0 && !isWaiting && !this.hasEnded) this.faults.push('a command does not end')
    if (quiet < 20) this.faults.push('the run does not come to rest')
    this.faults.push(...ledgerOf(this.machine).faults.splice(0))
  }

  get #isRestless(): boolean {
    const {processes, clock} = this.machine
    return (
      (this.left.size > 0 && !this.apps.some(({state}) => ['idle', 'starting', 'debugging'].includes(state))) ||
      this.apps.some(({restartsAt}) => restartsAt !== null) ||
      processes.some(({bornAt, endedAt = bornAt}) => clock.now() - endedAt < PIECE_MS)
    )
  }

  async down(): Promise<void> {
    this.run?.stop()
    if (this.run !== undefined) await this.until(this.run.ended)
  }

  close(): void {
    rmSync(this.folder, {recursive: true, force: true})
  }
}
