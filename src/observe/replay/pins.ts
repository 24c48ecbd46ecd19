import {UserError} from '../../model/errors.ts'
import {SerialQueue} from '../../model/serial-queue.ts'
import {sizeOfPieces} from '../telemetry/recorder/byte-tape.ts'
import {copyOfCall} from '../telemetry/recorder/call-content.ts'
import type {RecordedCall} from '../telemetry/recorder/call-recorder.ts'
import {answerOf, type CallAnswer, compare, noiseOf, type Noise} from './compare.ts'
import {isSafe, refused, ReplayRefused, type Replay, type Replayer} from './replayer.ts'
import {sendInOrder} from './window.ts'

/** Why the pinned calls were sent. */
export interface Cause {
  readonly kind: 'pinned' | 'saved' | 'asked'
  /** App that was saved, and its files; both empty for other rounds. */
  readonly app: string
  readonly files: readonly string[]
}

/** A round in which pinned calls are sent. */
export interface Round extends Cause {
  readonly number: number
  /** ms since 1970. */
  readonly at: number
}

interface PinResult {
  readonly round: number
  /** The replay; its `refusal` explains an unsent call. */
  readonly replay: Replay
}

/** A call that is sent again after each save. */
export interface Pin {
  readonly call: RecordedCall
  /** Latest answer, with which the next one is compared. */
  readonly before: CallAnswer
  /** Differences between the answers to equal requests. Undefined before they are known. */
  readonly noise: Noise | undefined
  /** Oldest first. */
  readonly results: readonly PinResult[]
}

interface KeptPin extends Pin {
  before: CallAnswer
  noise: Noise | undefined
  results: readonly PinResult[]
  /** Number of the callee's latest end that no longer counts against the call, since a later replay went well; 0: all count. */
  forgiven: number
}

interface HowToSend {
  readonly isUnsafe: boolean
  /** Whether the run sends the calls by itself, without a request of the user. */
  readonly isByItself: boolean
  readonly signal: AbortSignal
  readonly done?: (replay: Replay) => void
}

const MAX_PINS = 50
/** Maximum size of the recorded bytes of all pinned calls. */
const MAX_BYTES = 2 * 1024 * 1024
const MAX_ROUNDS = 20
/** A request that was in flight at this many of the last five exits is not sent automatically. */
const SUSPECT = 2

/** The pinned calls of a run: they are sent again on request, and the safe ones after each save. */
export class Pins {
  readonly #replayer: Replayer
  readonly #sent: (round: Round, replays: readonly Replay[]) => void
  readonly #over = new AbortController()
  #pins: readonly KeptPin[] = []
  #rounds: readonly Round[] = []
  #count = 0
  readonly #queue = new SerialQueue()
  /** The save whose round has not begun. */
  #saved: Cause | undefined

  /** `sent` gets the results of each round after a save. */
  constructor(replayer: Replayer, sent: (round: Round, replays: readonly Replay[]) => void) {
    this.#replayer = replayer
    this.#sent = sent
  }

  get all(): readonly Pin[] {
    return this.#pins
  }

  /** Oldest first. */
  get rounds(): readonly Round[] {
    return this.#rounds
  }

  /** Pins a call. If it is safe and has not crashed an app, it is sent twice: differences between the two answers are noise. Rejects with a UserError. */
  async add(call: RecordedCall, signal: AbortSignal): Promise<Pin> {
    const known = this.#pins.find(pin => pin.call.number === call.number)
    if (known !== undefined) return known
    const why = this.#replayer.whyNever(call)
    if (why !== '') throw new ReplayRefused(call, why)
    if (this.#pins.length >= MAX_PINS)
      throw new UserError(`${MAX_PINS} calls are pinned already`, {explanation: 'Unpin one of them first.'})
    if (sizeOfPieces([call, ...this.#pins.map(pin => pin.call)].flatMap(({pieces}) => pieces)) > MAX_BYTES)
      throw new UserError('the pinned calls have more than 2 MiB', {explanation: 'Unpin one of them first.'})
    const before = answerOf(call)
    const pin: KeptPin = {call: copyOfCall(call), before, noise: undefined, results: [], forgiven: 0}
    this.#pins = [...this.#pins, pin]
    if (isSafe(call) && this.#deathsOf(pin) === 0 && this.#replayer.context.whyUnavailable(call.edgeOf.callee) === '')
      await this.#round({kind: 'pinned', app: '', files: []}, [pin], {isUnsafe: false, isByItself: true, signal})
    return pin
  }

  /** Removes a pin. Returns false if the call is not pinned. */
  remove(number: number): boolean {
    const left = this.#pins.filter(pin => pin.call.number !== number)
    const isRemoved = left.length < this.#pins.length
    this.#pins = left
    return isRemoved
  }

  /** Notes that a saved app is ready again. Saves during a round share the next one. */
  saved(app: string, files: readonly string[]): void {
    if (this.#pins.length === 0 || this.#over.signal.aborted) return
    const isWaiting = this.#saved !== undefined
    this.#saved = {kind: 'saved', app, files: [...new Set([...(this.#saved?.files ?? []), ...files])]}
    if (!isWaiting) void this.#afterSave()
  }

  async #afterSave(): Promise<void> {
    await this.#queue.idle()
    const cause = this.#saved
    this.#saved = undefined
    if (cause === undefined || this.#over.signal.aborted) return
    const how = {isUnsafe: false, isByItself: true, signal: this.#over.signal}
    const {round, replays} = await this.#round(cause, this.#pins, how)
    if (!this.#over.signal.aborted) this.#sent(round, replays)
  }

  /** Sends all pinned calls on request. */
  async sendAll(how: HowToSend): Promise<void> {
    if (this.#pins.length === 0)
      throw new UserError('no call is pinned', {
        explanation: 'Give the number of one to pillion replay --pin.',
        code: 'not-found'
      })
    await this.#round({kind: 'asked', app: '', files: []}, this.#pins, how)
  }

  /** Cancels replays after saves at the end of the run. */
  close(): void {
    this.#over.abort()
  }

  async #round(
    cause: Cause,
    pins: readonly KeptPin[],
    how: HowToSend
  ): Promise<{readonly round: Round; readonly replays: readonly Replay[]}> {
    return this.#queue.run(async () => {
      const round = {...cause, number: ++this.#count, at: Date.now()}
      this.#rounds = [...this.#rounds, round].slice(-MAX_ROUNDS)
      const replays: Replay[] = []
      const send = async ({number}: RecordedCall, taken: () => void): Promise<void> => {
        const pin = pins.find(each => each.call.number === number)
        if (pin === undefined) return
        const replay = await this.#send(pin, how, taken)
        pin.results = [...pin.results, {round: round.number, replay: withoutBytes(replay, pin.call)}].slice(-MAX_ROUNDS)
        replays.push(replay)
        this.#replayer.context.report(replay)
        how.done?.(replay)
      }
      const calls = pins.map(({call}) => call)
      await sendInOrder(calls, 'answered', send, how.signal)
      return {round, replays}
    })
  }

  async #send(pin: KeptPin, {isUnsafe, isByItself, signal}: HowToSend, taken: () => void): Promise<Replay> {
    const {call, before, noise = new Set<string>()} = pin
    const {deaths, masking} = this.#replayer.context
    const times = isByItself ? this.#deathsOf(pin) : 0
    if (times >= SUSPECT) {
      taken()
      const why = `${call.edgeOf.callee} ended ${times} times with this request inside`
      return refused(call, before, new ReplayRefused(call, why, 'pillion replay --pinned sends it.'))
    }
    const latestEnd = deaths()?.all(call.edgeOf.callee).at(-1)?.number ?? 0
    const how = {isUnsafe, signal}
    const replay = await this.#replayer.tryReplay(call, {...how, before, noise, taken})
    const {after} = replay
    if (after === undefined || replay.number === 0) return replay
    pin.before = after
    if (!isWell(after)) return replay
    if (!isByItself) pin.forgiven = latestEnd
    if (pin.noise !== undefined || !isSafe(call)) return replay
    const {after: second} = await this.#replayer.tryReplay(call, {...how, before: after})
    if (second === undefined || !isWell(second)) return replay
    pin.before = second
    pin.noise = noiseOf(after, second, masking())
    return {...replay, comparison: compare(before, after, pin.noise, masking())}
  }

  #deathsOf({call, forgiven}: KeptPin): number {
    return this.#replayer.context.deaths()?.timesOf(call.edgeOf.callee, call, forgiven) ?? 0
  }
}

/** Returns a replay without bodies: they take memory, and only the latest answer is compared again. */
const withoutBytes = (replay: Replay, call: RecordedCall): Replay => ({
  ...replay,
  call,
  before: bare(replay.before),
  after: replay.after && bare(replay.after)
})

const bare = (answer: CallAnswer): CallAnswer => ({...answer, body: Buffer.alloc(0)})

/** Whether the callee has answered, without a server error. */
const isWell = ({status, failure}: CallAnswer): boolean => status > 0 && status < 500 && failure === ''
