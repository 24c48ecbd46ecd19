// observe/replay/ sends recorded calls again, each to the sidecar of its caller or the port of its callee. The first replay loads this code.
import type {RequestEdit} from '../../model/api.generated.ts'
import {UserError} from '../../model/errors.ts'
import {contentOf, copyOfCall} from '../telemetry/recorder/call-content.ts'
import {FLAG} from '../telemetry/recorder/call-lines.ts'
import type {CallRecorder, RecordedCall} from '../telemetry/recorder/call-recorder.ts'
import type {Deaths} from '../telemetry/recorder/deaths.ts'
import type {Masking} from '../telemetry/recorder/masking.ts'
import {AwaitedCall} from './awaited-call.ts'
import {answerOf, type CallAnswer, compare, type Comparison, type Noise} from './compare.ts'
import {editedCall, withoutMasks} from './edit.ts'
import {requestOf, sendAgain, type RequestText, type Resent, type CallPlace} from './send.ts'
import {isDelivery, whyNotSent} from './why-not-sent.ts'

/** The parts of a run that replays need. */
export interface ReplayContext {
  readonly recorder: CallRecorder
  /** Recorded ends of processes. Undefined before the first process has ended by itself. */
  readonly deaths: () => Deaths | undefined
  /** Returns the target of a call: the sidecar of its caller, or the port of its callee, if there is one. */
  readonly placeOf: (call: RecordedCall) => CallPlace | undefined
  /** Sends an app a request as its sidecar delivers events. Never rejects. */
  readonly deliver: (call: RecordedCall, request: RequestText, signal: AbortSignal) => Promise<Resent>
  /** Why an app accepts no calls now; '': it does, or calls wait until it does. */
  readonly whyUnavailable: (callee: string) => string
  /** Whether the template allows replays to an app. */
  readonly mayReplay: (callee: string) => boolean
  readonly masking: () => Masking
  /** Called with the result of each replay. */
  readonly report: (replay: Replay) => void
}

/** Thrown for a call that is not sent again. */
export class ReplayRefused extends UserError {
  constructor(call: RecordedCall, why: string, hint = '') {
    super(`call ${call.number} is not sent again: ${why}`, {explanation: hint, code: 'not-now'})
  }
}

/** The result of a call that was to be sent again. */
export interface Replay {
  readonly call: RecordedCall
  /** Number of the new call; 0: it was not sent, or the sidecar has refused it. */
  readonly number: number
  readonly before: CallAnswer
  /** Answer to the replay. Undefined if the call was not sent. */
  readonly after: CallAnswer | undefined
  readonly comparison: Comparison
  readonly refusal: UserError | undefined
}

interface HowToReplay {
  /** Whether methods other than GET, HEAD and OPTIONS are sent, too. */
  readonly isUnsafe: boolean
  /** Default: the original request is sent. */
  readonly edit?: RequestEdit | undefined
  /** The answer to compare with. Default: the answer to the call. */
  readonly before?: CallAnswer | undefined
  readonly noise?: Noise
  readonly signal?: AbortSignal | undefined
  /** Called when the sidecar or the port has received the request, or will not receive it. */
  readonly taken?: () => void
}

/** Maximum wait for a response, in ms. */
const TIMEOUT_MS = 60_000

/** Whether a method is safe, as HTTP defines it (RFC 9110, 9.2.1). */
export const isSafe = ({method}: Pick<RecordedCall, 'method'>): boolean => ['GET', 'HEAD', 'OPTIONS'].includes(method)

/** Sends a call to a sidecar or a port. Never rejects. */
type Way = (call: RecordedCall, signal: AbortSignal) => Promise<Resent>

/** Sends calls again. */
export class Replayer {
  readonly context: ReplayContext
  /** Latest replay of each call: replays of one call run one after the other. */
  readonly #turns = new Map<number, Promise<unknown>>()
  readonly #over = new AbortController()

  constructor(context: ReplayContext) {
    this.context = context
  }

  /** Cancels open replays at the end of the run. */
  close(): void {
    this.#over.abort(new Error('the run ends'))
  }

  /** Sends a call again, and compares the answers. Rejects with a `ReplayRefused` if it is not sent. */
  async replay(recorded: RecordedCall, how: HowToReplay): Promise<Replay> {
    const edit = how.edit && withoutMasks(how.edit, recorded, this.context.masking())
    const call = edit === undefined ? recorded : editedCall(recorded, edit)
    const way = this.#check(call, how.isUnsafe)
    const copy = copyOfCall(call)
    const earlier = this.#turns.get(call.number)
    const turn = (async () => {
      await earlier
      return this.#send(copy, way, how)
    })()
    const settled = turn.catch(() => undefined)
    this.#turns.set(call.number, settled)
    try {
      return await turn
    } finally {
      if (this.#turns.get(call.number) === settled) this.#turns.delete(call.number)
    }
  }

  /** As `replay`, but a call that is not sent has its reason in the result. */
  async tryReplay(call: RecordedCall, how: HowToReplay): Promise<Replay> {
    try {
      return await this.replay(call, how)
    } catch (error) {
      how.taken?.()
      if (!(error instanceof UserError)) throw error
      return refused(call, how.before ?? answerOf(call), error)
    }
  }

  /** Explains why a call is never sent again, in its present state; empty if it may be. */
  whyNever(call: RecordedCall): string {
    const {callee} = call.edgeOf
    if ((call.flags & FLAG.open) !== 0) return 'it is under way'
    const why = whyNotSent(call, this.context.placeOf(call) !== undefined)
    if (why !== '') return why
    return this.context.mayReplay(callee) ? '' : `the template has replay: false for ${callee}`
  }

  /** Returns the way to send a call again. Throws a `ReplayRefused` if it must not or cannot be sent. */
  #check(call: RecordedCall, isUnsafe: boolean): Way {
    const {caller, callee} = call.edgeOf
    const place = this.context.placeOf(call)
    const why = this.whyNever(call)
    if (why !== '') throw new ReplayRefused(call, why)
    if (!isUnsafe && !isSafe(call)) {
      const [method = ''] = contentOf(call).request.head.split(' ', 1)
      throw new ReplayRefused(call, `${method} may change data`, 'Add --unsafe to send it.')
    }
    const notReady = this.context.whyUnavailable(callee)
    if (notReady !== '') throw new ReplayRefused(call, notReady, `pillion why ${callee} says more.`)
    if (isDelivery(call)) return async (copy, signal) => this.context.deliver(copy, requestOf(copy), signal)
    if (place === undefined) throw new ReplayRefused(call, `${caller} has no sidecar in this run`)
    return async (copy, signal) => sendAgain(copy, place, signal)
  }

  /** Sends a call, waits for the end of the new one, and compares the answers. */
  async #send(call: RecordedCall, way: Way, how: HowToReplay): Promise<Replay> {
    const {before = answerOf(call), noise = new Set<string>(), taken, signal} = how
    const timeout = new AbortController()
    const timer = setTimeout(() => timeout.abort(new Error(`no response within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS)
    const signals = AbortSignal.any([timeout.signal, this.#over.signal, ...(signal === undefined ? [] : [signal])])
    const awaited = new AwaitedCall(this.context.recorder, call, () => taken?.())
    try {
      const sent = await way(call, signals)
      await awaited.ended(signals)
      const {number, recorded} = awaited
      const answer = recorded === undefined ? bareAnswer(sent) : answerOf(recorded)
      // the recorder does not know why an answer is incomplete; the sender does
      const after = {...answer, failure: answer.failure || sent.why}
      const comparison = compare(before, after, noise, this.context.masking())
      return {call, number, before, after, comparison, refusal: undefined}
    } finally {
      clearTimeout(timer)
      awaited.close()
      taken?.()
    }
  }
}

/** Returns the result for a call that was not sent. */
export const refused = (call: RecordedCall, before: CallAnswer, refusal: UserError): Replay => ({
  call,
  number: 0,
  before,
  after: undefined,
  comparison: {differences: [], count: 0, leftOut: []},
  refusal
})

/** Returns the answer to a request that was not recorded: the sidecar refused it, or no longer listened. */
const bareAnswer = ({status, why: failure}: Resent): CallAnswer => {
  const body = Buffer.alloc(0)
  return {status, type: '', body, bytes: 0, isWhole: false, isStream: false, ms: 0, failure}
}
