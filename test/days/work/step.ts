import type {Random} from '../../fuzz/random.ts'
import type {WorkWorld} from './world.ts'

/** A step makes no sense as things are. */
export class NotNow extends Error {}

/** One of these, where there is any. */
export function oneOf<T>(random: Random, all: readonly T[]): T {
  if (all.length === 0) throw new NotNow()
  return random.pick(all)
}

/** Does it, or throws a NotNow. */
export type Do = (world: WorkWorld, random: Random) => unknown

export const APPS = ['a', 'b', 'c'] as const
