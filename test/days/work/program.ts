import type {Random} from '../../fuzz/random.ts'

/** What the code of a workflow does, one after the other. */
export type Op =
  /** So many activities at once. */
  | {readonly op: 'call'; readonly app: string; readonly count: number}
  | {readonly op: 'sleep'; readonly ms: number; readonly name: string}
  /** An activity, or a timer: what comes first. */
  | {readonly op: 'race'; readonly app: string; readonly ms: number}
  /** An event; `ms`: it waits no longer; 0: as long as it takes. */
  | {readonly op: 'hear'; readonly name: string; readonly ms: number}
  /** The same event twice at once, each for so long; NEVER: as long as it takes. */
  | {readonly op: 'hear twice'; readonly name: string; readonly ms: readonly number[]}
  /** `ms`: it waits no longer; 0: as long as it takes. */
  | {readonly op: 'child'; readonly app: string; readonly id: string; readonly ms: number; readonly ops: readonly Op[]}
  | {readonly op: 'detach'; readonly app: string; readonly ms: number; readonly ops: readonly Op[]}
  | {readonly op: 'send'; readonly id: string; readonly name: string}
  | {readonly op: 'fail'}

/** The input of an instance. */
export interface Program {
  /** No two starts have the same one. */
  readonly serial: string
  readonly round: number
  /** So many rounds are made. */
  readonly rounds: number
  readonly ops: readonly Op[]
}

export const EVENTS = ['Go', 'stop'] as const
/** SDKs set a timer for the year 9999 with an event that they await without end. */
export const NEVER = Date.UTC(9999, 0)
const APPS = ['a', 'b', 'c'] as const
export const IDS = ['i1', 'i2', 'i3', 'i4'] as const

export function anyOps(random: Random, depth = 0): readonly Op[] {
  return Array.from({length: 1 + random.below(3)}, () => anyOp(random, depth))
}

function anyOp(random: Random, depth: number): Op {
  const app = random.pick(APPS)
  const ms = random.pick([0, 500, 1000, 5000, 60_000])
  const name = random.pick(EVENTS)
  switch (random.below(depth > 1 ? 7 : 11)) {
    case 0:
    case 1:
      return {op: 'call', app, count: 1 + random.below(3)}
    case 2:
      return {op: 'sleep', ms, name: random.oneIn(2) ? name : ''}
    case 3:
    case 4:
      return {op: 'race', app, ms}
    case 5:
      return {op: 'hear', name, ms: random.oneIn(2) ? ms : 0}
    case 6:
      return random.oneIn(4) ? {op: 'fail'} : {op: 'send', id: random.pick(IDS), name}
    case 7:
    case 8:
    case 9:
      return child(random, random.oneIn(3) ? random.pick(IDS) : '', random.oneIn(3) ? ms : 0, depth + 1)
    default:
      return {op: 'detach', app, ms, ops: anyOps(random, 2)}
  }
}

const child = (random: Random, id: string, ms: number, depth: number): Op => ({
  op: 'child',
  app: random.pick(APPS),
  id,
  ms,
  ops: anyOps(random, depth)
})

/** Its first activity of each round has the same number, and may be late. */
export const monitor = (random: Random): readonly Op[] => [{op: 'race', app: random.pick(APPS), ms: 500}]
/** The same with a child, of its own or of the same name. */
export const overseer = (random: Random): readonly Op[] => [
  child(random, random.pick(['', 'own', 'own']), random.pick([500, 1000]), 1)
]
/** Events come while it continues as new. */
export const inbox = (random: Random): readonly Op[] => [{op: 'hear', name: random.pick(EVENTS), ms: 0}]

/** It waits twice for one event at once, and with luck in vain. */
export const listener = (random: Random): readonly Op[] => {
  const ms = (): number => random.pick([500, 1000, 5000, 60_000, NEVER])
  return [{op: 'hear twice', name: random.pick(EVENTS), ms: [ms(), ms()]}]
}
