import type {Backlog, TopicBacklog} from '../../../model/activity.ts'
import {within} from '../../../platform/delay.ts'
import type {IsIgnored} from './ignored-calls.ts'
import {impossible, met, waiting, type WaitCheck, type Standing} from './condition.ts'
import type {WaitContext} from './wait-context.ts'
import {contentOf, isStream, methodOf} from '../../telemetry/recorder/call-content.ts'
import {FLAG} from '../../telemetry/recorder/call-lines.ts'

/** The calls of a run, for idleness. Streams with a response, replays and ignored calls do not count. Counters reveal calls that began and ended between two checks. */
class IdleCalls {
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

  /** Whether a call began since the last check. */
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

  /** Describes the calls in flight; empty without any. */
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
    if (line === undefined) return true // a newer call has overwritten the line, so this call has begun
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

/**
 * `idle`: for a whole period no call is open or begins, no message of a read topic waits, and no app starts, stops or reloads. Counters
 * that are equal at two checks prove that nothing happened in between.
 */
export class IdleCheck implements WaitCheck {
  readonly #context: WaitContext
  readonly #spanMs: number
  readonly #clock: () => number
  readonly #calls: IdleCalls
  #counts: readonly number[]
  #messages = new Map<string, Backlog>()
  #since: number
  #busy = ''
  #wasBusy = false

  constructor(
    context: WaitContext,
    spanMs: number,
    isIgnored: IsIgnored | undefined,
    clock = (): number => performance.now()
  ) {
    this.#clock = clock
    this.#context = context
    this.#spanMs = spanMs
    this.#calls = new IdleCalls(context, isIgnored)
    this.#counts = context.activity.map(source => source.count())
    this.#since = clock()
  }

  async look(): Promise<Standing> {
    if (this.#context.stopping.aborted) return impossible('the run is stopping')
    // brokers first: their answers may be outdated on arrival, the other checks are not
    const messages = await this.#backlog()
    const now = this.#clock()
    const busy = this.#now() || messages
    const hasMoved = this.#hasMoved() || messages !== ''
    // the work that the last check saw may have ended just now
    if (busy !== '' || hasMoved || this.#wasBusy) this.#since = now
    this.#wasBusy = busy !== ''
    if (busy !== '') this.#busy = busy
    const quietMs = now - this.#since
    if (quietMs >= this.#spanMs && this.#context.isWriting()) return waiting('a line waits to be written to a log file')
    if (quietMs >= this.#spanMs) return met(`idle for ${Math.round(quietMs)} ms`)
    if (busy !== '') return waiting(busy)
    const last = this.#busy === '' ? '' : `; before: ${this.#busy}`
    return waiting(`idle for ${Math.round(quietMs)} of ${this.#spanMs} ms${last}`)
  }

  /** Topics whose broker does not report waiting messages. */
  get unseen(): readonly TopicBacklog[] {
    return this.#context.backlogs().filter(({isSeen}) => !isSeen)
  }

  #now(): string {
    return this.#context.activity.reduce((busy, source) => busy || source.busy(), this.#calls.underWay())
  }

  #hasMoved(): boolean {
    const counts = this.#context.activity.map(source => source.count())
    const isSame = counts.every((count, index) => count === this.#counts[index])
    this.#counts = counts
    return this.#calls.hasBegun() || !isSame
  }

  /** Describes topics with waiting messages, or with new ones since the last check; empty without any. */
  async #backlog(): Promise<string> {
    let busy = ''
    const seen = new Map<string, Backlog>()
    const all = this.#context.backlogs()
    const keys = all.map(({app, pubsubName, topic}, index) => `${app} ${pubsubName} ${topic} ${index}`)
    const last = keys.map(key => this.#messages.get(key))
    const read = await Promise.all(all.map(async (each, index) => readOf(each, last[index])))
    for (const [index, {app, pubsubName, topic}] of all.entries()) {
      const [key = '', backlog] = [keys[index], read[index]]
      if (backlog === undefined) continue
      seen.set(key, backlog)
      if (backlog.waiting > 0) busy = `${backlog.waiting} messages of topic ${topic} (${pubsubName}) wait for ${app}`
      else if (busy === '' && (last[index] ?? backlog).count !== backlog.count)
        busy = `messages of topic ${topic} (${pubsubName}) came`
    }
    this.#messages = seen
    return busy
  }
}

/** How long a broker may take to answer, in ms. */
const ANSWER_MS = 1000

/** Reads a backlog. A broker that fails counts as idle. A late broker keeps its last value: it may be busy. */
const readOf = async ({read}: TopicBacklog, before: Backlog | undefined): Promise<Backlog | undefined> =>
  within(ANSWER_MS, read()).then(
    found => found ?? before,
    () => undefined
  )
