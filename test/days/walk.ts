import type {App} from './app.ts'
import {faultsOf, phaseIn} from './invariants.ts'
import {Model} from './model.ts'
import {FIRST, firstFiles} from './steps/edits.ts'
import type {Action, Step} from './steps/step.ts'
import {planned} from './steps/steps.ts'
import {nameOf} from './template.ts'
import type {Seen, World} from './world.ts'

/** The first thing of a walk that is not as it must be. */
export interface Finding {
  readonly faults: readonly string[]
  /** The number of steps that were made until then. */
  readonly steps: number
  /** What was done, from the first file on. */
  readonly actions: readonly Action[]
  /** What the world has printed. */
  readonly report: string
}

/** How often each kind of step was made. */
export type Tally = Map<string, number>

/** Makes the steps of a walk in a fresh world; undefined: all was as it must be. */
export async function walk(
  steps: readonly Step[],
  open: () => Promise<World>,
  tally?: Tally
): Promise<Finding | undefined> {
  const world = await open()
  const day = new Day(world)
  let faults: readonly string[] = []
  let made = 0
  try {
    faults = await day.begin()
    for (const step of steps) {
      if (faults.length > 0) break
      made++
      faults = await day.make(step, tally)
    }
    if (faults.length === 0) faults = await day.rest()
  } catch (error) {
    faults = [`the walk itself failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`]
  }
  const report = world.report()
  const left = await world.close()
  const all = [...faults, ...left.map(each => `left behind: ${each}`)]
  return all.length === 0 ? undefined : {faults: all, steps: made, actions: day.actions, report}
}

/** A model and a world that go through the same. */
class Day {
  readonly actions: Action[] = []
  readonly #world: World
  readonly #model: Model

  constructor(world: World) {
    this.#world = world
    this.#model = new Model({...FIRST, commonKeys: world.commonKeys})
  }

  async begin(): Promise<readonly string[]> {
    this.#model.up()
    this.#model.steps = 1
    const {programs} = this.#world
    await this.#act({do: 'write', files: {...programs, ...firstFiles(this.#model.written, this.#world)}})
    await this.#act({do: 'up', args: ['--watch']})
    return this.rest()
  }

  async make(step: Step, tally: Tally | undefined): Promise<readonly string[]> {
    const model = this.#model
    model.steps++
    const before = model.copy()
    const actions = planned(model, step, this.#world)
    if (actions === undefined) {
      model.steps--
      return []
    }
    tally?.set(step.kind, (tally.get(step.kind) ?? 0) + 1)
    this.#world.begin(step.a * 1001 + step.b)
    model.blur(before)
    for (const action of actions) await this.#act(this.#left(action, step, before))
    return step.isHurried ? [] : this.rest()
  }

  /** Waits until nothing goes on, and looks whether all is as it must be. */
  async rest(): Promise<readonly string[]> {
    const restless = await this.#world.rest()
    let seen = await this.#world.look()
    let faults = faultsOf(this.#model, seen)
    while (faults.length > 0 && (await this.#world.waits())) {
      seen = await this.#world.look()
      faults = faultsOf(this.#model, seen)
    }
    if (faults.length > 0 || restless !== '') return [...faults, ...(restless === '' ? [] : [restless])]
    this.actions.push({do: 'rest'})
    this.#settle(seen)
    return []
  }

  #settle(seen: Seen): void {
    this.#model.settle(app => {
      const told = seen.apps.find(({id, instance}) => nameOf(id, instance) === app.name)
      return {phase: (told && phaseIn(app, told, seen)) ?? 'up', code: told?.exitCode ?? 0}
    })
    this.#world.settle()
  }

  /** A command in a burst: the next step does not wait for its end. */
  #left(action: Action, {isHurried}: Step, before: ReadonlyMap<string, App>): Action {
    const [verb = '', id = ''] = action.do === 'pillion' ? action.args : []
    if (action.do !== 'pillion' || !isHurried || verb === 'down') return action
    this.#model.leave(id, before)
    return {...action, isLeft: true}
  }

  async #act(action: Action): Promise<void> {
    this.actions.push(action)
    await this.#world.act(action)
  }
}
