import {stepText} from '../walks.ts'
import {Random} from '../../fuzz/random.ts'
import {Copies, WEIGHTS} from './copies.ts'

/** One step of a walk: numbers that mean something in every state. */
export interface CopyStep {
  readonly kind: keyof typeof WEIGHTS
  readonly a: number
  readonly b: number
  /** The next step follows without a look. */
  readonly isHurried: boolean
}

const KINDS = Object.keys(WEIGHTS) as readonly CopyStep['kind'][]

/** What a walk has found; empty: all was as it must be. */
export interface CopiesWalk {
  readonly faults: readonly string[]
  /** What was done, as commands. */
  readonly done: readonly string[]
}

/** The walk of a seed. */
export function copySteps(seed: number, steps: number): readonly CopyStep[] {
  const random = new Random('copies', seed)
  const kinds = KINDS.flatMap(kind => Array<CopyStep['kind']>(WEIGHTS[kind]).fill(kind))
  return Array.from({length: steps}, () => ({
    kind: random.pick(kinds),
    a: random.below(1000),
    b: random.below(1000),
    isHurried: random.oneIn(4)
  }))
}

export const copyStepsIn = (text: string): readonly CopyStep[] =>
  text.split(', ').map(each => {
    const [, name, a, b, hurry] = /^(.+) (\d+) (\d+)( …)?$/.exec(each) ?? []
    const kind = KINDS.find(known => known === name)
    if (kind === undefined) throw new Error(`no step: ${each}`)
    return {kind, a: Number(a), b: Number(b), isHurried: hurry !== undefined}
  })

/** Makes steps in a repository of its own; an odd seed is one without an origin, where `cp -r` makes no copy. */
export async function walkCopies(seed: number, steps: readonly CopyStep[]): Promise<CopiesWalk> {
  const copies = new Copies(seed % 2 === 0)
  const faults: string[] = []
  try {
    await copies.open()
    for (const [at, {kind, a, b, isHurried}] of steps.entries()) {
      await copies.acts[kind](a, b)
      if (!isHurried || at === steps.length - 1) faults.push(...(await copies.faults()))
      if (faults.length > 0) break
    }
  } catch (error) {
    faults.push(`the walk itself failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`)
  }
  const left = await copies.close(faults.length === 0).catch((error: unknown) => [String(error)])
  return {faults: [...faults, ...left], done: copies.done}
}

/** Walks seeds one after the other, and prints what is not as it must be; false: something was not. */
export async function walkAllCopies({
  seed: first,
  seeds,
  steps,
  walk,
  isFirst
}: {
  readonly seed: number
  readonly seeds: number
  readonly steps: number
  readonly walk: string | undefined
  readonly isFirst: boolean
}): Promise<boolean> {
  let failed = 0
  for (let seed = first; seed < first + seeds; seed++) {
    const made = walk === undefined ? copySteps(seed, steps) : copyStepsIn(walk)
    const from = performance.now()
    const {faults, done} = await walkCopies(seed, made)
    const seconds = ((performance.now() - from) / 1000).toFixed(1)
    console.log(
      `seed ${seed}, ${made.length} steps: ${faults.length === 0 ? 'as it must be' : faults.join('; ')} (${seconds} s)`
    )
    if (faults.length === 0) continue
    failed++
    console.log(`# --copies --seed ${seed} --walk '${stepText(made)}'\n${done.join('\n')}\n`)
    if (isFirst) break
  }
  return failed === 0
}
