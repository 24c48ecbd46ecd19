import type * as Api from '../../../model/api.generated.ts'
import {decoded} from '../../../model/bytes.ts'
import {linesIn} from '../../logging/prefix.ts'
import type {LogBatch} from '../../logging/run-log.ts'
import {isOfApp, lineView} from '../line-view.ts'

const MAX_LINES = 400
const MAX_CHARACTERS = 64 * 1024
/** Longer lines are cut off. */
const MAX_LINE = 4096

/** A sample of the lines of all apps; `notShown`: the number of further lines of each writer. */
interface AllLines extends Omit<Api.LineSample, 'notShown'> {
  readonly notShown: ReadonlyMap<string, number>
}

/** The part of a sample that is of one app; '' = all. */
export function linesOf({lines, notShown, ...place}: AllLines, app: string): Api.LineSample {
  const isMeant = (name: string): boolean => app === '' || isOfApp(name, app)
  const counts = [...notShown].map(([name, count]) => (isMeant(name) ? count : 0))
  return {
    ...place,
    lines: lines.filter(line => isMeant(line.app)),
    notShown: counts.reduce((sum, each) => sum + each, 0)
  }
}

/** Output of apps since the last sample: the first 400 lines, and the number of further lines. */
export class LineSamples {
  #lines: Api.Line[] = []
  #characters = 0
  #notShown = new Map<string, number>()
  #from = -1
  #to = 0

  get isEmpty(): boolean {
    return this.#lines.length === 0 && this.#notShown.size === 0
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
    if (at === text.length) return
    const {name} = writer
    this.#notShown.set(name, (this.#notShown.get(name) ?? 0) + linesIn(at === 0 ? text : text.slice(at)))
  }

  /** Returns the lines since the last call. */
  take(): AllLines {
    const taken = {from: Math.max(0, this.#from), to: this.#to, lines: this.#lines, notShown: this.#notShown}
    this.#from = -1
    this.#lines = []
    this.#characters = 0
    this.#notShown = new Map()
    return taken
  }
}
