import {isJson} from '../../model/is-json.ts'
import type {FaultKind, FaultPlan} from '../../model/fault.ts'

/** A call that a rule has hit. */
export interface Hit {
  /** Number of the rule. */
  readonly number: number
  /** The name of the error, which is the answer if the rule defines no body. */
  readonly name: string
  readonly plan: FaultPlan
  readonly delayMs: number
  /** Kind of the fault; `none` once the rule is removed or disabled. */
  readonly kind: FaultKind
  /** Calls the listener when the rule is removed or disabled. The result cancels that. */
  onOver(listener: () => void): () => void
  /** Kills the process `pid` of the callee. */
  kill(callee: string, pid: number): void
  /** Begins its delay; undefined if it has none. */
  delay(): Delay | undefined
  /** The response of a rule with a status. */
  response(): FaultResponse
}

/** The delay of a call: it waits, and is not admitted yet. Timeouts include it, and removing the rule ends it. */
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
