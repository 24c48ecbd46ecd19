import {array, constant, nat, oneof, record, sample} from 'fast-check'
import {COMMANDS} from './commands.ts'
import {EDITS} from './edits.ts'
import {SAVES} from './saves.ts'
import type {Kinds, Plan, Step} from './step.ts'

const KINDS: Kinds = {...EDITS, ...COMMANDS, ...SAVES}

/** Applies a step to the model, and tells what is to be done; undefined: it makes no sense now. */
export const planned: Plan = (model, step, place) => {
  const actions = KINDS[step.kind]?.[1](model, step, place)
  if (actions !== undefined) model.after()
  return actions
}

/** A step; a quarter of them come in bursts. */
const anyStep = record<Step>({
  kind: oneof(...Object.entries(KINDS).map(([name, [weight]]) => ({weight, arbitrary: constant(name)}))),
  a: nat(1000),
  b: nat(1000),
  isHurried: nat(99).map(n => n < 25)
})

/** The walk of a seed. */
export const walkOf = (seed: number, steps: number): readonly Step[] =>
  sample(array(anyStep, {minLength: steps, maxLength: steps, size: 'max'}), {seed, numRuns: 1, unbiased: true})[0] ?? []
