import type {Call} from '../../model/call.ts'
import type {FaultChange, FaultKind, FaultPlan, FaultView} from '../../model/fault.ts'
import {edgeText, effectText, limitText, rateText} from './fault-text.ts'
import {FaultRule} from './fault-rule.ts'
import {delayOf, responseOf, type Hit} from './hit.ts'

// proxy/faults/ makes calls fail on purpose, by rules per caller and callee. The seed of a rule decides which calls fail, so that every run
// has the same failures. Rules end with the run and are never written to disk.

/** Effects of faults besides those on the calls. */
export interface FaultActions {
  /** Reports a change of the rules to the person at the terminal, and to readers of events. */
  readonly tell: (change: FaultChange) => void
  /** Kills the process group of this leader. */
  readonly kill: (pid: number) => void
}

interface Active {
  readonly rule: FaultRule
  readonly listeners: Set<() => void>
  readonly endsAt: number
  readonly timer: NodeJS.Timeout | undefined
}

/** The fault rules of a run, added and changed by the command line, the page and agents. The first matching rule decides about a call. */
export class Faults {
  readonly #options: FaultActions
  readonly #active: Active[] = []
  #last = 0

  constructor(options: FaultActions) {
    this.#options = options
  }

  /** Adds a rule after the others. Returns its number. */
  add(plan: FaultPlan): number {
    const active = this.#open(++this.#last, plan)
    this.#active.push(active)
    this.#tellOn(active, 'on')
    return active.rule.number
  }

  /** Replaces the plan of a rule. Keeps number, place and state, and counts below the limit. Returns false for an unknown number. */
  replace(number: number, plan: FaultPlan): boolean {
    const index = this.#active.findIndex(({rule}) => rule.number === number)
    const before = this.#active[index]
    if (before === undefined) return false
    const active = this.#open(number, plan)
    const {isEnabled, isSpent, matched, hits} = before.rule
    Object.assign(active.rule, {isEnabled, ...(!isSpent && {matched, hits})})
    this.#active[index] = active
    this.#end(before)
    this.#tellOn(active, 'changed')
    return true
  }

  /** Removes a rule. Calls that it delays continue. Returns false for an unknown number. */
  remove(number: number): boolean {
    const index = this.#active.findIndex(({rule}) => rule.number === number)
    const [active] = index < 0 ? [] : this.#active.splice(index, 1)
    if (active === undefined) return false
    if (!active.rule.isSpent) this.#tellOff(active)
    this.#end(active)
    return true
  }

  /** Disables a rule, or enables it again. The rule keeps its number, place and counts. Calls that it delays continue. Returns false for an unknown number. */
  enable(number: number, isEnabled: boolean): boolean {
    const active = this.#active.find(({rule}) => rule.number === number)
    if (active === undefined) return false
    const {rule, listeners} = active
    if (rule.isEnabled === isEnabled) return true
    rule.isEnabled = isEnabled
    const what = isEnabled ? `enabled again: ${edgeText(rule.plan)}` : `disabled: ${hitsText(rule)}`
    const change = isEnabled ? 'enabled' : 'disabled'
    this.#options.tell({change, fault: viewOf(active), text: `fault ${number} is ${what}`})
    if (!isEnabled) for (const listener of listeners) listener()
    return true
  }

  removeAll(): number {
    return this.list().filter(({number}) => this.remove(number)).length
  }

  list(): readonly FaultView[] {
    return this.#active.map(viewOf)
  }

  /** Returns the effect of the first matching rule on a call; undefined: the call is not hit. */
  hit(call: Call): Hit | undefined {
    if (call.isOwn === true && call.from === undefined) return undefined
    const active = this.#active.find(({rule}) => rule.isEnabled && !rule.isSpent && rule.matches(call))
    if (active?.rule.strikes() !== true) return undefined
    const {rule, listeners} = active
    const {number, plan, delayMs} = rule
    if (rule.isSpent) this.#tellOff(active)
    call.fault = number
    const kindNow = (): FaultKind => (rule.isEnabled && this.#active.includes(active) ? plan.kind : 'none')
    const hit: Hit = {
      number,
      name: `fault ${number} of Pillion`,
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
        this.#options.tell({change: 'hit', fault: viewOf(active), text: `fault ${number} kills ${callee} (pid ${pid})`})
        this.#options.kill(pid)
      },
      delay: () => delayOf(hit),
      response: () => responseOf(hit)
    }
    return hit
  }

  #open(number: number, plan: FaultPlan): Active {
    const {forMs} = plan
    const timer = forMs === Infinity ? undefined : setTimeout(() => this.remove(number), forMs)
    timer?.unref()
    return {rule: new FaultRule(number, plan), listeners: new Set(), endsAt: performance.now() + forMs, timer}
  }

  /** Ends a rule: lets the calls that it delays continue. */
  #end({listeners, timer}: Active): void {
    clearTimeout(timer)
    for (const listener of listeners) listener()
  }

  #tellOn(active: Active, how: 'on' | 'changed'): void {
    const {number, plan} = active.rule
    const more = [rateText(plan), limitText(plan)].filter(text => text !== '').map(text => ` (${text})`)
    const text = `fault ${number} is ${how}: ${edgeText(plan)}: ${effectText(plan)}${more.join('')}`
    this.#options.tell({change: 'on', fault: viewOf(active), text})
  }

  #tellOff(active: Active): void {
    const text = `fault ${active.rule.number} is off: ${hitsText(active.rule)}`
    this.#options.tell({change: 'off', fault: viewOf(active), text})
  }
}

const hitsText = ({hits, matched, plan}: FaultRule): string =>
  `${edgeText(plan)}: it hit ${hits} of ${matched} ${matched === 1 ? 'call' : 'calls'}`

const viewOf = ({rule: {number, plan, matched, hits, isEnabled}, endsAt}: Active): FaultView => ({
  number,
  plan,
  matched,
  hits,
  isEnabled,
  leftMs: Math.max(0, endsAt - performance.now())
})

/** The faults of a run, created with the first rule, so that runs without faults do not load the code. */
export interface FaultSwitch extends FaultActions {
  /** undefined: no fault was added yet. */
  active: Faults | undefined
}
