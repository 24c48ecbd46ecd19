import {PIECE} from '../../telemetry/recorder/byte-tape.ts'
import {contentOf, copyOfCall} from '../../telemetry/recorder/call-content.ts'
import type {CallRecorder, RecordedCall} from '../../telemetry/recorder/call-recorder.ts'
import {readFilter} from '../../telemetry/recorder/filter.ts'
import type {CallsQuery} from '../calls.ts'
import type {Turns} from '../turns.ts'

/**
 * The kept calls of one moment. Calls in flight stay so. The recorder continues: calls that it overwrites before they are read are counted.
 */
export class CallSnapshot {
  /** The moment of the snapshot, by `performance.now()`. */
  readonly at = performance.now()
  readonly #recorder: CallRecorder
  /** The latest first. */
  readonly #numbers: readonly number[]
  readonly #underWay: ReadonlyMap<number, RecordedCall>
  /** The oldest call whose bytes were kept then. */
  readonly #firstWhole: number
  readonly #overwritten = new Set<number>()

  constructor(recorder: CallRecorder) {
    this.#recorder = recorder
    this.#numbers = recorder.numbers()
    this.#underWay = new Map(
      recorder.open().flatMap(number => {
        const call = recorder.call(number)
        return call === undefined ? [] : [[number, copyOfCall(call)]]
      })
    )
    this.#firstWhole = this.#findFirstWhole()
  }

  /** The numbers of the calls that the query means, the oldest first. Takes short turns. Rejects with a UserError for a faulty filter. */
  async matching({q, before, after, limit}: CallsQuery, turns: Turns): Promise<readonly number[]> {
    const matches = readFilter(q, this.#recorder)
    const found: number[] = []
    for (const number of this.#numbers) {
      if (before > 0 && number >= before) continue
      if (found.length >= limit || number <= after) break
      await turns.next()
      const line = this.#underWay.get(number) ?? this.#recorder.line(number)
      if (line === undefined) this.#overwritten.add(number)
      else if (matches(line, () => contentOf(this.call(number) ?? {}))) found.push(number)
    }
    return found.toReversed()
  }

  /** A call as it was then; undefined: it was overwritten. */
  call(number: number): RecordedCall | undefined {
    const call = this.#underWay.get(number) ?? this.#recorder.call(number)
    if (call === undefined || (number >= this.#firstWhole && !hasRequest(call))) this.#overwritten.add(number)
    return call
  }

  /** How many calls were overwritten before they were read, in one line; '' = none. */
  get overwritten(): string {
    const {size} = this.#overwritten
    if (size === 0) return ''
    const [calls, are, lack] =
      size === 1 ? ['call was', 'it is', 'lacks its'] : ['calls were', 'they are', 'lack their']
    return `${size} ${calls} overwritten before this was written: ${are} missing, or ${lack} bytes`
  }

  /** Bytes are overwritten in the order of begins, but later for a long call: two whole calls in a row count. */
  #findFirstWhole(): number {
    const ended = this.#numbers.filter(number => !this.#underWay.has(number))
    let [low, high] = [0, ended.length] // the number of the latest ones that are whole
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      const last = ended.slice(Math.max(0, middle - 2), middle).map(number => this.#recorder.call(number))
      if (last.every(call => call !== undefined && hasRequest(call))) low = middle
      else high = middle - 1
    }
    return ended[low - 1] ?? Infinity
  }
}

const hasRequest = ({pieces}: RecordedCall): boolean => pieces.some(({kind}) => kind === PIECE.requestHead)
