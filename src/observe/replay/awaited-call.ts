import {orAborted} from '../../platform/delay.ts'
import {FLAG} from '../telemetry/recorder/call-lines.ts'
import type {CallRecorder, RecordedCall} from '../telemetry/recorder/call-recorder.ts'
import {ExpectedReplays} from '../telemetry/recorder/expected-replays.ts'

type Expected = Parameters<ExpectedReplays['add']>[0]

/** Finds the new calls of replays in the recorder, which looks for them only while one is expected. */
export class AwaitedCalls {
  readonly #recorder: CallRecorder
  readonly #expected = new ExpectedReplays()

  constructor(recorder: CallRecorder) {
    this.#recorder = recorder
  }

  /** Expects a replay of `original`. Calls `arrived` when its new call begins. */
  expect(original: RecordedCall, arrived: () => void): AwaitedCall {
    return new AwaitedCall(this.#recorder, started => {
      const expected = {
        caller: original.edgeOf.caller,
        original: original.number,
        started: (number: number): void => {
          this.#forget(expected)
          started(number)
          arrived()
        }
      }
      this.#expected.add(expected)
      this.#recorder.replays = this.#expected
      return () => this.#forget(expected)
    })
  }

  #forget(expected: Expected): void {
    this.#expected.remove(expected)
    if (this.#expected.isEmpty && this.#recorder.replays === this.#expected) this.#recorder.replays = undefined
  }
}

/** The new call of one replay: expected, then begun, then ended. */
export class AwaitedCall {
  /** Its number; 0: it has not begun. */
  number = 0
  readonly #recorder: CallRecorder
  readonly #ended = Promise.withResolvers<void>()
  readonly #stops: readonly (() => void)[]

  /** `expect` registers the listener of its begin, and returns a function that removes that. */
  constructor(recorder: CallRecorder, expect: (started: (number: number) => void) => () => void) {
    this.#recorder = recorder
    const unlisten = recorder.onEnded(ended => {
      if (ended === this.number) this.#ended.resolve()
    })
    this.#stops = [expect(number => (this.number = number)), unlisten]
  }

  /** Waits until the call has ended. Settles at once if it has not begun, or its app is not recorded: then no end is reported. */
  async ended(signal: AbortSignal): Promise<void> {
    const {flags = 0} = this.#recorder.line(this.number) ?? {}
    if ((flags & FLAG.open) !== 0) await orAborted(signal, this.#ended.promise)
  }

  /** Stops looking for the call. */
  close(): void {
    for (const stop of this.#stops) stop()
  }

  /** The recorded call; undefined if it has not begun. */
  get recorded(): RecordedCall | undefined {
    return this.number > 0 ? this.#recorder.call(this.number) : undefined
  }
}
