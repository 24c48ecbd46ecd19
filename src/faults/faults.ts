// faults/ makes calls fail on purpose, by rules per caller and callee. Which calls are hit depends on the rule alone: the same
// ones in every run. It ends with the run, and nothing of it is written anywhere.
import type {Call} from '../model/call.ts'
import type {FaultKind, FaultPlan} from '../model/fault.ts'
import type {FaultSwitch} from './fault-switch.ts'
import {edgeText, effectText, limitText, rateText} from './fault-text.ts'
import {FaultRule} from './fault-rule.ts'

/** A call that a rule has hit. */
export interface Hit {
  /** Of the rule. */
  readonly number: number
  readonly plan: FaultPlan
  readonly delayMs: number
  /** `none` as soon as the rule is taken off. */
  readonly kind: FaultKind
  /** Calls the listener when the rule is taken off; the result ends that. */
  onOver(listener: () => void): () => void
  /** Kills the callee, of which this is the process. */
  kill(callee: string, pid: number): void
}

/** The rule with what became of it. */
export interface FaultView {
  readonly number: number
  readonly plan: FaultPlan
  readonly matched: number
  readonly hits: number
  /** Until it ends by itself; Infinity: it does not. */
  readonly leftMs: number
}

interface Active {
  readonly rule: FaultRule
  readonly listeners: Set<() => void>
  readonly endsAt: number
  readonly timer: NodeJS.Timeout | undefined
}

/** The rules of a run. */
export class Faults {
  readonly #options: Pick<FaultSwitch, 'show' | 'kill'>
  readonly #active: Active[] = []
  #last = 0

  constructor(options: Pick<FaultSwitch, 'show' | 'kill'>) {
    this.#options = options
  }

  /** Adds a rule behind the others; the result is its number. */
  add(plan: FaultPlan): number {
    const number = ++this.#last
    const {forMs} = plan
    const timer = forMs === Infinity ? undefined : setTimeout(() => this.remove(number), forMs)
    timer?.unref()
    const rule = new FaultRule(number, plan)
    this.#active.push({rule, listeners: new Set(), endsAt: performance.now() + forMs, timer})
    const more = [rateText(plan), limitText(plan)].filter(text => text !== '').map(text => ` (${text})`)
    this.#options.show(`fault ${number.toString()} is on: ${edgeText(plan)}: ${effectText(plan)}${more.join('')}`)
    return number
  }

  /** Takes a rule off: the calls that it holds go on. False: there is none with this number. */
  remove(number: number): boolean {
    const index = this.#active.findIndex(({rule}) => rule.number === number)
    const [active] = index < 0 ? [] : this.#active.splice(index, 1)
    if (active === undefined) return false
    const {rule, listeners, timer} = active
    clearTimeout(timer)
    if (!rule.isSpent) this.#sayOff(rule)
    for (const listener of listeners) listener()
    return true
  }

  /** Takes all off; the result is how many there were. */
  removeAll(): number {
    const all = this.list()
    for (const {number} of all) this.remove(number)
    return all.length
  }

  list(): readonly FaultView[] {
    const now = performance.now()
    return this.#active.map(({rule: {number, plan, matched, hits}, endsAt}) => ({
      number,
      plan,
      matched,
      hits,
      leftMs: Math.max(0, endsAt - now)
    }))
  }

  /** What the first rule that matches a call makes of it; undefined: nothing. */
  hit(call: Call): Hit | undefined {
    if (call.isOwn === true) return undefined
    const active = this.#active.find(({rule}) => !rule.isSpent && rule.matches(call))
    if (active?.rule.strikes() !== true) return undefined
    const {rule, listeners} = active
    const {number, plan, delayMs} = rule
    if (rule.isSpent) this.#sayOff(rule)
    call.fault = number
    const kindNow = (): FaultKind => (this.#active.includes(active) ? plan.kind : 'none')
    return {
      number,
      plan,
      delayMs,
      get kind() {
        return kindNow()
      },
      onOver: listener => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      kill: (callee, pid) => {
        this.#options.show(`fault ${number.toString()} kills ${callee} (pid ${pid.toString()})`)
        this.#options.kill(pid)
      }
    }
  }

  #sayOff({number, hits, matched, plan}: FaultRule): void {
    const hit = `${hits.toString()} of ${matched.toString()} ${matched === 1 ? 'call' : 'calls'}`
    this.#options.show(`fault ${number.toString()} is off: ${edgeText(plan)}: it hit ${hit}`)
  }
}
