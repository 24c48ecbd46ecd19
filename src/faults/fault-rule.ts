import type {Call} from '../model/call.ts'
import {ANY, type FaultPlan} from '../model/fault.ts'
import {chance} from './chance.ts'

type Matched = Pick<Call, 'caller' | 'callee' | 'from' | 'method' | 'path'>

/** The calls that a rule was asked about, and what it decides. Pure: it knows no clock. */
export class FaultRule {
  readonly number: number
  readonly plan: FaultPlan
  /** How many calls it matched, and how many of them it hit. */
  matched = 0
  hits = 0
  /** False: it is passed over, and counts nothing. */
  isEnabled = true
  readonly #matchesPath: (path: string) => boolean

  constructor(number: number, plan: FaultPlan) {
    this.number = number
    this.plan = plan
    this.#matchesPath = pathMatcher(plan.path)
  }

  /** It has hit as many calls as it may. */
  get isSpent(): boolean {
    return this.hits >= this.plan.times
  }

  matches({caller, callee, from: source = caller, method, path}: Matched): boolean {
    const {from, to, method: wanted} = this.plan
    return (
      (from === ANY || from === source) &&
      (to === ANY || to === callee) &&
      (wanted === '' || wanted === method) &&
      this.#matchesPath(path)
    )
  }

  /** Counts one more call that it matches; whether it is hit. */
  strikes(): boolean {
    const {rate, seed} = this.plan
    const isHit = chance(seed, ++this.matched) < rate
    if (isHit) this.hits++
    return isHit
  }

  /** How long the latest call waits. */
  get delayMs(): number {
    const {delayMs, jitterMs, seed} = this.plan
    return jitterMs === 0 ? delayMs : delayMs + jitterMs * (2 * chance(~seed, this.matched) - 1)
  }
}

/** `*` stands for anything. Without a `?` the query does not matter. */
function pathMatcher(glob: string): (path: string) => boolean {
  if (glob === '') return () => true
  const parts = glob.split('*')
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  const hasQuery = glob.includes('?')
  return whole => {
    const query = hasQuery ? -1 : whole.indexOf('?')
    const path = query < 0 ? whole : whole.slice(0, query)
    if (parts.length === 1) return path === glob
    if (path.length < first.length + last.length || !path.startsWith(first) || !path.endsWith(last)) return false
    const end = path.length - last.length
    let at = first.length
    for (const part of parts.slice(1, -1)) {
      const found = path.indexOf(part, at)
      if (found < 0 || found + part.length > end) return false
      at = found + part.length
    }
    return true
  }
}
