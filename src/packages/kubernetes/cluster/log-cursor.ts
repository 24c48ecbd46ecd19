/** The longest incomplete line that is kept back. */
const LONGEST = 64 * 1024
/** As the kubelet writes it. Its own words have none: that there is no log any more, or that it cannot watch the file. */
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/

/**
 * Reads a log that comes with times (`timestamps=true`), takes the times off, and remembers its place: after a cut the
 * server sends whole seconds again, of which each line is passed on once.
 */
export class LogCursor {
  #rest = ''
  /** The beginning of a line at which a connection has ended: it comes again, unless the log is gone. */
  #cut = ''
  /** The rest of a line follows whose beginning was passed on. */
  #isWithinLine = false
  /** Whether such a line is passed on. */
  #isShown = true
  #time = ''
  /** The lines with this time. */
  #known: string[] = []
  /** Those of the last time that come again, behind others where only the last lines were asked for. */
  #again: string[] = []
  #isResuming = false
  #last = ''
  #hasPrinted = false

  /** Another start of the container follows. */
  begin(): void {
    this.#hasPrinted = false
  }

  /** The whole log of this start was read. */
  complete(): void {
    if (!this.#hasPrinted) this.#last = ''
  }

  /** The last line of this start that is not blank, as text; of an earlier one, as long as this one's is not known. */
  get lastLine(): string {
    return Buffer.from(this.#last, 'latin1').toString()
  }

  /** The time from which lines are requested; undefined: from the beginning. */
  get since(): string | undefined {
    return this.#time === '' ? undefined : this.#time
  }

  /** The connection, or the container, has ended; what comes next is asked for with `since`. Returns what ends a line that was cut. */
  resume(): string {
    const open = this.#isWithinLine ? this.end() : ''
    this.#cut = this.#rest || this.#cut
    this.#rest = ''
    this.#isResuming = this.#time !== ''
    this.#again = [...this.#known]
    return open
  }

  /** Returns the lines that this chunk completes, as latin1. */
  push(chunk: Buffer): string {
    const text = this.#rest + chunk.toString('latin1')
    let start = 0
    let out = ''
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      out += this.#line(text.slice(start, end), '\n')
      this.#isWithinLine = false
      start = end + 1
    }
    this.#rest = text.slice(start)
    if (this.#rest.length > LONGEST) {
      out += this.#line(this.#rest, '')
      this.#isWithinLine = true
      this.#rest = ''
    }
    return out
  }

  /** Nothing more comes of this start. A last line without newline gets one, also one that was cut, and did not come again. */
  end(): string {
    const rest = this.#rest || this.#cut
    this.#rest = ''
    this.#cut = ''
    if (rest === '' && !(this.#isWithinLine && this.#isShown)) return ''
    const text = this.#line(rest, '\n')
    this.#isWithinLine = false
    return text
  }

  #line(line: string, newline: string): string {
    if (this.#isWithinLine) return this.#isShown ? plain(line) + newline : ''
    const space = line.indexOf(' ')
    const time = space < 0 ? line : line.slice(0, space)
    const isTimed = TIME.test(time)
    this.#isShown = isTimed && this.#isNew(time, line)
    const body = plain(space < 0 ? '' : line.slice(space + 1))
    const isBlank = body.trim() === ''
    // also by a line that is known: the container may have restarted while the log of its last start was asked for
    if (isTimed && !isBlank) this.#hasPrinted = true
    if (!this.#isShown) return ''
    this.#cut = ''
    if (!isBlank) this.#last = body.slice(0, 1000)
    return body + newline
  }

  #isNew(time: string, line: string): boolean {
    if (time < this.#time) return !this.#isResuming // one of the two streams of a container may be behind the other
    if (this.#isResuming) {
      const at = this.#again.findIndex(each => each.startsWith(line)) // its end may be cut off
      if (at >= 0) {
        this.#again.splice(at, 1)
        return false
      }
      this.#isResuming = time === this.#time
    }
    if (time > this.#time) this.#known = []
    this.#time = time
    this.#known.push(line)
    return true
  }
}

const plain = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line)
