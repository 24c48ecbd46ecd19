/** Lines that a log file lacks, because its disk was full or could not be written to. */
export class Gap {
  readonly #since: Date
  readonly #reason: string
  #lines = 0
  /** Whether the omitted text ends within a line, whose rest will follow. */
  isMidLine = false

  /** `reason`: the system's message. */
  constructor(reason: string, since = new Date()) {
    this.#reason = reason
    this.#since = since
  }

  add(text: string): void {
    if (text === '') return
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#lines++
    this.isMidLine = !text.endsWith('\n')
  }

  /** Returns the latin1 text that replaces the lines in the file. */
  note(until = new Date()): string {
    const count = this.#lines + (this.isMidLine ? 1 : 0)
    const lines = count === 1 ? '1 line is' : `${count} lines are`
    return `... ${lines} missing here, from ${clockOf(this.#since)} to ${clockOf(until)}: ${this.#reason}\n`
  }
}

/** Returns the local time of day: `14:03:02`. */
const clockOf = (time: Date): string => time.toTimeString().slice(0, 8)
