import type * as Api from '../../../model/api.generated.ts'
import {decoded} from '../../../model/bytes.ts'
import {linesIn} from '../../logging/prefix.ts'
import type {LogBatch} from '../../logging/run-log.ts'
import {lineView} from '../line-view.ts'

const MAX_LINES = 400
const MAX_CHARACTERS = 64 * 1024
/** Longer lines are cut off. */
const MAX_LINE = 4096

/** Output of apps since the last sample: the first 400 lines, and the number of further lines. */
export class LineSamples {
  #lines: Api.Line[] = []
  #characters = 0
  #notShown = 0
  #from = -1
  #to = 0

  get isEmpty(): boolean {
    return this.#lines.length === 0 && this.#notShown === 0
  }

  add({number, writer, stream, time, coloured: text}: LogBatch): void {
    if (this.#from < 0) this.#from = number
    this.#to = number + 1
    let at = 0
    while (at < text.length && this.#lines.length < MAX_LINES && this.#characters < MAX_CHARACTERS) {
      const found = text.indexOf('\n', at)
      const end = found < 0 ? text.length : found
      const line = end - at > MAX_LINE ? `${text.slice(at, at + MAX_LINE)}...` : text.slice(at, end)
      this.#lines.push(lineView({time, app: writer.name, stream}, decoded(line).replace(/\r$/, '')))
      this.#characters += line.length
      at = end + 1
    }
    if (at < text.length) this.#notShown += linesIn(at === 0 ? text : text.slice(at))
  }

  /** Returns what came since the last call. */
  take(): Api.LineSample {
    const taken = {from: Math.max(0, this.#from), to: this.#to, lines: this.#lines, notShown: this.#notShown}
    this.#from = -1
    this.#lines = []
    this.#characters = 0
    this.#notShown = 0
    return taken
  }
}
