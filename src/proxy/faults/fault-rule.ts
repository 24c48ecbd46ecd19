import type {Call} from '../../model/call.ts'
import {ANY, type FaultPlan} from '../../model/fault.ts'
import {starPattern} from '../../model/name-pattern.ts'

/**
 * Returns a pseudo-random number from 0 up to 1 for the n-th call of a seed, the same in every run. Uses the mixing of MurmurHash3 (public
 * domain), so that neighbouring seeds and calls are unrelated.
 */
function chance(seed: number, n: number): number {
  return mixed(mixed(seed ^ 0x9e_37_79_b9) ^ mixed(n)) / 2 ** 32
}

function mixed(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85_eb_ca_6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2_b2_ae_35)
  return (bits ^ (bits >>> 16)) >>> 0
}

type Matched = Pick<Call, 'caller' | 'callee' | 'from' | 'method' | 'path' | 'actor'>

/** A fault rule with its counts. Decides by its seed which of the matching calls the fault hits, so that each run hits the same ones. */
export class FaultRule {
  readonly number: number
  readonly plan: FaultPlan
  /** Number of calls that the rule has matched. */
  matched = 0
  /** Number of matched calls that the fault has hit. */
  hits = 0
  /** Whether the rule is in use. A disabled rule matches and counts nothing. */
  isEnabled = true
  readonly #matchesPath: (path: string) => boolean

  constructor(number: number, plan: FaultPlan) {
    this.number = number
    this.plan = plan
    this.#matchesPath = pathMatcher(plan.path)
  }

  /** Whether the fault has hit its maximum number of calls. */
  get isSpent(): boolean {
    return this.hits >= this.plan.times
  }

  matches({caller, callee, from: source = caller, method, path, actor: type}: Matched): boolean {
    const {from, to, actor, method: wanted} = this.plan
    return (
      (from === ANY || from === source) &&
      (to === ANY || to === callee) &&
      (actor === '' || actor === type) &&
      (wanted === '' || wanted === method) &&
      this.#matchesPath(path)
    )
  }

  /** Counts a matching call. Returns whether the fault hits it. */
  strikes(): boolean {
    const {rate, seed} = this.plan
    const isHit = chance(seed, ++this.matched) < rate
    if (isHit) this.hits++
    return isHit
  }

  /** Delay of the latest matched call, in ms, with its jitter. */
  get delayMs(): number {
    const {delayMs, jitterMs, seed} = this.plan
    return jitterMs === 0 ? delayMs : delayMs + jitterMs * (2 * chance(~seed, this.matched) - 1)
  }
}

/** Compiles a path pattern. `*` matches anything. A pattern without `?` ignores the query. */
function pathMatcher(glob: string): (path: string) => boolean {
  if (glob === '') return () => true
  const matches = starPattern(glob)
  const hasQuery = glob.includes('?')
  return path => {
    const query = hasQuery ? -1 : path.indexOf('?')
    return matches(query < 0 ? path : path.slice(0, query))
  }
}
