import {orAborted} from '../../platform/delay.ts'
import {FLAG} from '../telemetry/recorder/call-lines.ts'
import type {CallRecorder, RecordedCall} from '../telemetry/recorder/call-recorder.ts'
import {ExpectedReplays} from '../telemetry/recorder/expected-replays.ts'

/** The new call of a replay: expected, then begun, then ended. The recorder looks for new calls only while one is expected. */
export class AwaitedCall {
  /** Number of the new call; 0: it has not begun. */
  number = 0
  /** Stops looking for the call. */
  readonly close: () => void
  readonly #recorder: CallRecorder
  readonly #ended = Promise.withResolvers<void>()

  /** Expects a replay of `original`. Calls `arrived` when its new call begins. */
  constructor(recorder: CallRecorder, {number: original, edgeOf: {caller}}: RecordedCall, arrived: () => void) {
    this.#recorder = recorder
    const expected = (recorder.replays ??= new ExpectedReplays())
    const started = (number: number): void => {
      expected.remove(replay)
      this.number = number
      arrived()
    }
    const replay = {caller, original, started}
    expected.add(replay)
    const unlisten = recorder.onEnded(ended => {
      if (ended === this.number) this.#ended.resolve()
    })
    this.close = () => {
      expected.remove(replay)
      if (expected.isEmpty && recorder.replays === expected) recorder.replays = undefined
      unlisten()
    }
  }

  /** Waits until the call has ended. Settles at once if the call has not begun, or is not recorded: the recorder reports no end then. */
  async ended(signal: AbortSignal): Promise<void> {
    const {flags = 0} = this.#recorder.line(this.number) ?? {}
    if ((flags & FLAG.open) !== 0) await orAborted(signal, this.#ended.promise)
  }

  /** The recorded call. Undefined if it has not begun. */
  get recorded(): RecordedCall | undefined {
    return this.number > 0 ? this.#recorder.call(this.number) : undefined
  }
}
