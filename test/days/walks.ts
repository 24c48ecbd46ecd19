import {shrink} from './shrink.ts'

/** A step of a walk; the numbers decide what it is about. */
export interface WalkStep {
  readonly kind: string
  readonly a: number
  readonly b: number
  /** The next one follows in the same instant. */
  readonly isHurried: boolean
}

/** Steps as a failure prints them, which `stepsIn` reads; after `…` the next one follows in the same instant. */
export const stepText = (steps: readonly WalkStep[]): string =>
  steps.map(({kind, a, b, isHurried}) => `${kind} ${a} ${b}${isHurried ? ' …' : ''}`).join(', ')

/** `kinds`: has each kind of step as a key. */
export const stepsIn = (text: string, kinds: object): readonly WalkStep[] =>
  text.split(', ').map(each => {
    const [, kind = '', a, b, hurry] = /^(.+) (\d+) (\d+)( …)?$/.exec(each) ?? []
    if (!(kind in kinds)) throw new Error(`no step: ${each}`)
    return {kind, a: Number(a), b: Number(b), isHurried: hurry !== undefined}
  })

export interface Walks {
  /** One after the other. */
  readonly seeds: readonly number[]
  readonly steps: number
  /** Steps as a failure prints them, instead of those that a seed makes: for each seed its own, or one for all. */
  readonly walks: readonly string[]
  readonly tries: number
  readonly isFirst: boolean
}

/** What a walk has found. */
export interface Found {
  readonly faults: readonly string[]
  /** Where it was cut off; '' = it was not, so it can be made shorter. */
  readonly at?: string
}

/** How walks of a kind are made. */
export interface WalkKind {
  readonly flag: string
  readonly kinds: object
  readonly invented: (seed: number, steps: number) => readonly WalkStep[]
  /** `tally`: how often each kind of step was made; undefined: the walk is one that has failed, made shorter. */
  readonly walk: (seed: number, steps: readonly WalkStep[], tally?: Map<string, number>) => Promise<Found>
  /** What kind of failure it is, whatever it names. */
  readonly sortOf: (faults: readonly string[]) => string
}

/** Walks seeds one after the other, and prints what fails, shortened; false: something did. */
export async function walkShortened(
  {seeds, steps, walks, tries, isFirst}: Walks,
  {flag, kinds, invented, walk, sortOf}: WalkKind
): Promise<boolean> {
  const tally = new Map<string, number>()
  let failed = 0
  for (const [nth, seed] of seeds.entries()) {
    const given = walks[nth] ?? walks[0]
    const whole = given === undefined ? invented(seed, steps) : stepsIn(given, kinds)
    const {faults, at = ''} = await walk(seed, whole, tally)
    if (faults.length === 0) continue
    failed++
    const sort = sortOf(faults)
    const fails = async (part: readonly WalkStep[]): Promise<boolean> =>
      sortOf((await walk(seed, part)).faults) === sort
    const shortest = tries > 0 && at === '' ? await shrink(whole, fails, tries) : whole
    console.log(`seed ${seed}${at}: ${faults.join('; ')}`)
    console.log(`  ${shortest.length} steps: --${flag} --seed ${seed} --walk '${stepText(shortest)}'`)
    if (isFirst) break
  }
  console.log(`${seeds.length} seeds of ${steps} steps, ${failed} failed`)
  console.log(`made: ${[...tally].map(([kind, n]) => `${n} × ${kind}`).join(', ')}`)
  return failed === 0
}
