import {dirname} from 'node:path'
import {variablesWithoutValue, type Imported} from '#import'
import {loadTemplate} from '../../../files/config/load.ts'
import type {RunControl} from '../../../control/run-control.ts'
import {TrialFolder} from '../../../control/trial-folder.ts'
import type {App} from '../../../model/api.generated.ts'
import {instanceName} from '../../../model/plan.ts'
import {pause} from '../../../platform/delay.ts'
import {freeAppPort} from '../../../proxy/ports/app-port.ts'
import type {Run} from '../../../run/run.ts'
import type {AppOutcome} from '../ci/outcome.ts'
import {collectOutcome, isFit, needed} from '../ci/collect.ts'
import type {CommandContext} from '../command-handler.ts'
import type {Form} from '../run-form.ts'
import {surroundings} from '../template-named.ts'
import {openTerminal} from '../terminal.ts'
import {commandLines, isBuilding} from './first-build.ts'
import {downloadMaven} from './packages.ts'
import {obstacleOf, withoutValue, type Obstacle} from './obstacle.ts'
import {trialPlan} from './trial-plan.ts'

export interface TriedApp {
  readonly id: string
  /** The state as in `ps`; `building`: the first build of its program is under way. */
  readonly state: string
  readonly isReady: boolean
  /** null: the app became ready. */
  readonly obstacle: Obstacle | null
}

export interface Trial {
  readonly apps: readonly TriedApp[]
  readonly tookMs: number
  /** Ports at which apps without a port in the template listen, by app id. */
  readonly listens: ReadonlyMap<string, readonly number[]>
  /** Whether Ctrl-C ended the trial: nothing is known of the apps. */
  readonly isInterrupted: boolean
}

export interface TrialRequest {
  readonly imported: Imported
  readonly text: string
  /** The path of the template, which may not be written yet. */
  readonly file: string
  /** How long the apps have to become ready. */
  readonly timeoutMs: number
}

const KEEPER = 'pillion-import-check'
const LOOK_MS = 50
/** Time without a change before the end: an app without a port may end a moment after its start. */
const QUIET_MS = 3000
/** Number of restarts after which an app is not expected to become ready by itself. */
const MAX_RESTARTS = 3

/** Starts the apps of a template, leaves nothing behind, and finds the obstacle of each app that did not become ready. */
export async function tryTemplate(call: CommandContext, options: TrialRequest): Promise<Trial> {
  const {imported, text, file, timeoutMs} = options
  const root = dirname(file)
  const missing = new Map(imported.apps.map(app => [app.id, variablesWithoutValue(app, imported, process.env)]))
  const excepted = new Set([...missing].flatMap(([id, all]) => (all.some(({isRequired}) => isRequired) ? [id] : [])))
  const required = [...missing.values()].flatMap(all => all.filter(({isRequired}) => isRequired))
  const port = required.length === 0 ? 0 : await freeAppPort(new Set(), {whose: 'a variable without a value'})
  const variables = Object.fromEntries(required.map(({name}) => [name, port.toString()]))
  const around = {...surroundings(), cwd: root, readStdin: () => text}
  const {plan, commandSidecar} = await loadTemplate('-', around, {watch: false, variables})
  const folder = new TrialFolder()
  try {
    // a run ends with its last app: this additional app has no program, and so never ends
    const apps = [...plan.apps, await commandSidecar(KEEPER)]
    const tried = await trialPlan({...plan, apps}, folder)
    await downloadMaven(tried.apps, timeoutMs)
    const run = new TrialRun(timeoutMs)
    const {live} = await import('../run-form.ts') // initializes the code of a run only here, where it is needed
    await live(openTerminal(), call, () => run.form(tried, excepted))
    const unsetOf = (id: string): readonly string[] => missing.get(id)?.map(({name}) => name) ?? []
    const all = await Promise.all(
      tried.apps.map(async (app): Promise<readonly TriedApp[]> => {
        const {id} = app
        if (excepted.has(id)) return [{id, state: 'not started', isReady: false, obstacle: withoutValue(unsetOf(id))}]
        const outcome = run.outcomes.find(each => each.id === id && each.name === instanceName(id, app.instance))
        if (outcome === undefined) return []
        const {name, state} = outcome
        const processes = run.processes.get(name) ?? []
        // an app without a port to check counts as ready when its process starts, even if that is still a builder
        const isReady = outcome.isReady && !(app.ready.kind === 'spawned' && isBuilding(processes))
        if (isReady) return [{id: name, state, isReady, obstacle: null}]
        const failed = {plan: app, outcome, waitsFor: run.waitsFor(id), unset: unsetOf(id), processes}
        const obstacle = await obstacleOf(failed, {env: process.env, root})
        return [{id: name, state: outcome.isReady ? 'building' : state, isReady, obstacle}]
      })
    )
    return {apps: all.flat(), tookMs: run.tookMs, listens: run.listens, isInterrupted: run.isInterrupted}
  } finally {
    await folder.remove(process.env)
  }
}

/** The run of a trial, which ends once no further change is expected. */
class TrialRun {
  readonly #timeoutMs: number
  #listing: readonly App[] = []
  outcomes: readonly AppOutcome[] = []
  /** The command lines of each instance, as the trial ends. */
  processes: ReadonlyMap<string, readonly string[]> = new Map()
  /** Ports of apps without one in the template, as the trial ends. */
  listens: Trial['listens'] = new Map()
  tookMs = 0
  isInterrupted = false

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  form(plan: Form['plan'], excepted: ReadonlySet<string>): Form {
    return {
      plan,
      excepted,
      workMode: 'trial',
      output: {write: () => undefined, midLine: false},
      form: {kind: 'template', prefixOf: () => undefined},
      emit: () => undefined,
      started: async run => this.#wait(run),
      takes: () => {
        this.isInterrupted = true
        return false
      },
      exitCode: () => 0,
      ended: () => undefined
    }
  }

  waitsFor(id: string): readonly string[] {
    return this.#listing.find(app => app.id === id)?.waitsFor ?? []
  }

  async #wait(run: Run): Promise<void> {
    const began = performance.now()
    const {control} = run
    try {
      if (control === undefined) return
      await this.#untilQuiet(control, began)
      this.tookMs = performance.now() - began
      if (this.isInterrupted) return
      this.#listing = needed(control.list())
      this.processes = await processesOf(this.#listing)
      this.listens = await seenPorts(this.#listing)
      const {apps} = await collectOutcome({control, as: KEEPER, places: new Map()})
      this.outcomes = apps
    } finally {
      run.stop()
    }
  }

  async #untilQuiet(control: RunControl, began: number): Promise<void> {
    let [seen, since] = ['', performance.now()]
    while (performance.now() - began < this.#timeoutMs && !this.isInterrupted) {
      const apps = needed(control.list()).filter(({id}) => id !== KEEPER)
      const now = apps.map(({id, state, isReady, pid}) => `${id} ${state} ${isReady} ${pid}`).join('\n')
      const isPending = apps.some(mayBecomeReady)
      if (now !== seen || isPending) [seen, since] = [now, performance.now()]
      if (performance.now() - since >= QUIET_MS) {
        const found = await processesOf(apps)
        if (![...found.values()].some(isBuilding)) return
        since = performance.now()
      }
      await pause(LOOK_MS)
    }
  }
}

/** Returns the ports at which apps without a port in the template listen now. */
async function seenPorts(apps: readonly App[]): Promise<Trial['listens']> {
  const {servedPorts} = await import('../../../run/uncarried-ports.ts')
  const found = apps.filter(({pid, url, appPort}) => pid > 0 && url === '' && appPort === 0)
  return new Map(await Promise.all(found.map(async ({id, pid}) => [id, await servedPorts(pid)] as const)))
}

async function processesOf(apps: readonly App[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const started = apps.filter(({pid}) => pid > 0)
  return new Map(
    await Promise.all(
      started.map(async ({id, instance, pid}) => [instanceName(id, instance), await commandLines(pid)] as const)
    )
  )
}

/** Whether an app may still become ready. Does not wait for an app whose dependency is not ready. */
const mayBecomeReady = (app: App): boolean =>
  !isFit(app) &&
  app.availability !== 'never' &&
  app.loop === null &&
  app.restarts < MAX_RESTARTS &&
  !(app.state === 'idle' && app.waitsFor.length > 0)
