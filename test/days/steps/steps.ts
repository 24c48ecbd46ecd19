import {type Arbitrary, array, constant, nat, oneof, record, sample} from 'fast-check'
import {CLOCK} from './clock.ts'
import {COMMANDS} from './commands.ts'
import {EDITS} from './edits.ts'
import {PROMISES} from './promises.ts'
import {SAVES} from './saves.ts'
import type {Kinds, Plan, Step} from './step.ts'

/** What both worlds can do. */
const SHARED: Kinds = {...EDITS, ...COMMANDS, ...SAVES}
const REAL: Kinds = {...SHARED, ...PROMISES}
const SIMULATED: Kinds = {...SHARED, ...CLOCK}
const KINDS: Kinds = {...REAL, ...SIMULATED}

/** Applies a step to the model, and tells what is to be done; undefined: it makes no sense now. */
export const planned: Plan = (model, step, place) => {
  const actions = KINDS[step.kind]?.[1](model, step, place)
  if (actions !== undefined) model.after()
  return actions
}

/** A step of these kinds; a quarter of them come in bursts. */
const anyStep = (kinds: Kinds): Arbitrary<Step> =>
  record<Step>({
    kind: oneof(...Object.entries(kinds).map(([name, [weight]]) => ({weight, arbitrary: constant(name)}))),
    a: nat(1000),
    b: nat(1000),
    isHurried: nat(99).map(n => n < 25)
  })

/** The walk of a seed; the real world has steps of its own. */
export const walkOf = (seed: number, steps: number, isReal: boolean): readonly Step[] => {
  const step = anyStep(isReal ? REAL : SIMULATED)
  const walk = array(step, {minLength: steps, maxLength: steps, size: 'max'})
  return sample(walk, {seed, numRuns: 1, unbiased: true})[0] ?? []
}

/** Steps as text, which `walkIn` reads: `save 3 7, stop 1 4 …`; after `…` the next one follows without a rest. */
export const textOf = (steps: readonly Step[]): string =>
  steps.map(({kind, a, b, isHurried}) => `${kind} ${a} ${b}${isHurried ? ' …' : ''}`).join(', ')

export const walkIn = (text: string): readonly Step[] =>
  text.split(', ').map(each => {
    const [, kind = '', a, b, hurry] = /^(.+) (\d+) (\d+)( …)?$/.exec(each) ?? []
    if (!(kind in KINDS)) throw new Error(`no step: ${each}`)
    return {kind, a: Number(a), b: Number(b), isHurried: hurry !== undefined}
  })
