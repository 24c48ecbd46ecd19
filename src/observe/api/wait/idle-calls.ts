import {contentOf, isStream, methodOf} from '../../telemetry/recorder/call-content.ts'
import {FLAG} from '../../telemetry/recorder/call-lines.ts'
import type {IsIgnored} from './ignored-calls.ts'
import type {WaitContext} from './wait-context.ts'

/**
 * The calls of a run as idleness sees them. Streams whose response has begun, replays and ignored calls do not count. Numbers show calls between two looks.
 */
export class IdleCalls {
  readonly #context: WaitContext
  readonly #isIgnored: IsIgnored | undefined
  #seen: number
  #unrecorded: number

  constructor(context: WaitContext, isIgnored: IsIgnored | undefined) {
    this.#context = context
    this.#isIgnored = isIgnored
    this.#seen = context.recorder.last
    this.#unrecorded = context.recorder.unrecorded.begun
  }

  /** Whether a call began since the last look. */
  hasBegun(): boolean {
    const {recorder} = this.#context
    const from = this.#seen + 1
    const {begun} = recorder.unrecorded
    const hasUnrecorded = begun > this.#unrecorded
    this.#seen = recorder.last
    this.#unrecorded = begun
    if (hasUnrecorded) return true
    for (let number = from; number <= recorder.last; number++) if (this.#counts(number)) return true
    return false
  }

  /** The calls in flight, for people; '' if there are none. */
  underWay(): string {
    const {recorder} = this.#context
    const {open: unrecorded} = recorder.unrecorded
    const numbers = recorder.open()
    if (numbers.length === 0 && unrecorded === 0) return ''
    const streams = this.#context.streams()
    const counting = numbers.filter(number => this.#counts(number) && !this.#isStream(number, streams.numbers))
    const others = Math.max(0, unrecorded - streams.unrecorded)
    const [first] = counting
    if (first !== undefined) {
      const more = counting.length + others - 1
      return `${this.#describe(first)} is under way${more === 0 ? '' : `, and ${more} more`}`
    }
    return others === 0 ? '' : `${others} calls that are not recorded are under way`
  }

  #counts(number: number): boolean {
    const {recorder} = this.#context
    const line = recorder.line(number)
    if (line === undefined) return true // a later call has its line: it was there
    if ((line.flags & FLAG.replay) !== 0) return false
    if (this.#isIgnored === undefined) return true
    const call = recorder.call(number)
    if (call === undefined) return true
    const content = contentOf(call)
    return !this.#isIgnored({method: methodOf(call, () => content), path: content.path})
  }

  #isStream(number: number, streams: ReadonlySet<number>): boolean {
    if (streams.has(number)) return true
    const call = this.#context.recorder.call(number)
    if (call === undefined || (call.flags & FLAG.grpc) !== 0) return false
    const {response} = contentOf(call)
    const {head} = response
    return head !== '' && (/^HTTP\/\d(?:\.\d)? 101/.test(head) || isStream(response))
  }

  #describe(number: number): string {
    const call = this.#context.recorder.call(number)
    if (call === undefined) return `call ${number}`
    const {caller, callee} = call.edgeOf
    const content = contentOf(call)
    const method = methodOf(call, () => content)
    return `call ${number} (${caller} → ${callee}: ${method} ${content.path.replace(/\?.*$/s, '')})`
  }
}
