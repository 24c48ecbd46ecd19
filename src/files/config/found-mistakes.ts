import {UserError, type TemplateMistake} from '../../model/errors.ts'
import type {ForEach} from './merge.ts'

interface Found {
  readonly error: UserError
  /** The index among the apps, or in another list of the template. */
  readonly index: number
}

/** The first mistakes of several apps. */
class SeveralMistakes extends Error {
  readonly check: number
  readonly found: readonly Found[]

  constructor(check: number, found: readonly Found[]) {
    super(found.map(({error}) => error.message).join('\n'))
    this.check = check
    this.found = found
  }
}

/** Finds the first mistake of each app in one reading. `indexOf`: the app's index before any app was removed. */
export function untilLast(indexOf: (index: number) => number): ForEach {
  let check = 0
  return (all, make) => {
    check++
    const found: Found[] = []
    const results = all.flatMap((one, index) => {
      try {
        return [make(one, index)]
      } catch (error) {
        if (!(error instanceof UserError)) throw error
        found.push({error, index: indexOf(index)})
        return []
      }
    })
    if (found.length > 0) throw new SeveralMistakes(check, found)
    return results
  }
}

/** The mistakes of all readings, each once, in the order in which single readings up to the first mistake would find them. */
export class FoundMistakes {
  readonly mistakes: TemplateMistake[] = []
  readonly #seen = new Set<string>()
  readonly #found: (Found & {readonly turn: number})[] = []
  #check = 0
  #turn = 0

  get isEmpty(): boolean {
    return this.#found.length === 0
  }

  /** The errors so far, in the order of the checks, then of the apps. An app is checked again after each of its mistakes. */
  get errors(): readonly UserError[] {
    return this.#found.toSorted((a, b) => a.turn - b.turn || a.index - b.index).map(({error}) => error)
  }

  /** Adds mistakes of a reading, except those that follow from others. Returns false if none is new. Throws any other error again. */
  add(thrown: unknown, follows: (mistakes: readonly TemplateMistake[]) => boolean): boolean {
    const several = thrown instanceof SeveralMistakes ? thrown : undefined
    if (several === undefined && !(thrown instanceof UserError)) throw thrown
    const all = several?.found ?? [{error: thrown as UserError, index: 0}]
    if (several?.check !== this.#check) this.#turn++
    this.#check = several?.check ?? 0
    const before = this.mistakes.length
    const spots = new Set<string>()
    for (const {error, index} of all) {
      const fresh = error.mistakes.filter(mistake => !this.#seen.has(nameOf(mistake)))
      // removing a shared mistake repairs all apps that have it
      const isShared = fresh.length > 0 && fresh.every(({spot}) => spots.has(spotName(spot)))
      for (const {spot} of error.mistakes) if (spot !== undefined) spots.add(spotName(spot))
      if (isShared) continue
      if (this.isEmpty || (fresh.length > 0 && !follows(fresh))) this.#found.push({error, index, turn: this.#turn})
      for (const mistake of fresh) this.#seen.add(nameOf(mistake))
      this.mistakes.push(...fresh)
    }
    return this.mistakes.length > before
  }
}

const nameOf = ({place: {file, line, column}, message}: TemplateMistake): string =>
  JSON.stringify([file, line, column, message])

const spotName = (spot: TemplateMistake['spot']): string => (spot === undefined ? '' : `${spot.start}-${spot.end}`)
