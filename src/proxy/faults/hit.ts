import {isJson} from '../../model/is-json.ts'
import type {FaultKind, FaultPlan} from '../../model/fault.ts'

/** The effect of a fault rule on one call that it has hit. */
export interface Hit {
  /** Number of the rule. */
  readonly number: number
  /** Name of the fault, which is the response's body if the rule defines none. */
  readonly name: string
  readonly plan: FaultPlan
  readonly delayMs: number
  /** Kind of the fault; `none` once the rule is removed or disabled. */
  readonly kind: FaultKind
  /** Calls the listener when the rule is removed or disabled. Returns a function that unsubscribes. */
  onOver(listener: () => void): () => void
  /** Kills the process group of the callee and reports it. */
  kill(callee: string, pid: number): void
  /** Starts the delay of the call; undefined: no delay. */
  delay(): Delay | undefined
  /** Returns the response of a rule with a status. */
  response(): FaultResponse
}

/** The delay of a call before its admission, with the shape of `Held`. Timeouts of policies include it. Removing the rule ends it. */
export interface Delay {
  readonly admitted: Promise<undefined>
  readonly isCounted: true
  readonly reason: string
  cancel(): void
}

/** A response in place of the callee's. */
interface FaultResponse {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly lines: string
}

export function delayOf(hit: Hit): Delay | undefined {
  const {number, kind, delayMs} = hit
  if (delayMs <= 0 && kind !== 'never') return undefined
  const {promise, resolve} = Promise.withResolvers<undefined>()
  const end = (): void => {
    clearTimeout(timer)
    off()
    resolve(undefined)
  }
  const off = hit.onOver(end)
  const timer = kind === 'never' ? undefined : setTimeout(end, delayMs)
  return {admitted: promise, isCounted: true, reason: `fault ${number}`, cancel: end}
}

export function responseOf({name, plan: {status, body}}: Hit): FaultResponse {
  if (status === 204 || status === 304) return {status, type: '', body: '', lines: ''}
  const text = body === '' ? `${name}\n` : body
  return {status, type: isJson(text) ? 'application/json' : 'text/plain', body: text, lines: ''}
}
