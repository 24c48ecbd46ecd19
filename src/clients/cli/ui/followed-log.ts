import {setTimeout as pause} from 'node:timers/promises'
import type {FoundRun} from '../../../control/client.ts'
import type {Line} from '../../../model/api.generated.ts'
import {messageOf} from '../../../model/errors.ts'

/** A line of an app, or a note about its lines. */
export type ShownLine = Pick<Line, 'line' | 'level' | 'stream'>

const KEPT = 2000
const FIRST = 500
/** Maximum number of lines for each drawing. The run counts the rest of a flood. */
const AT_ONCE = 200
const PAUSE_MS = 100

/** The latest lines of one app at a time. */
export class FollowedLog {
  readonly #changed: () => void
  #lines: readonly ShownLine[] = []
  #of = ''
  #since: string | null = null
  #over = new AbortController()

  constructor(changed: () => void) {
    this.#changed = changed
  }

  get lines(): readonly ShownLine[] {
    return this.#lines
  }

  /**
   * Follows this app from now on. `since`: start time of its process; a new process makes it read the log again, which ended with the old one.
   * `run` undefined: keeps the last lines of the run that has ended.
   */
  follow(run: FoundRun | undefined, app: string, since: string | null): void {
    const of = run === undefined ? '' : `${run.listing.run} ${app}`
    if (of === this.#of && since === this.#since) return
    this.#over.abort()
    if (of !== this.#of && run !== undefined) this.#lines = []
    this.#of = of
    this.#since = since
    if (run === undefined) return
    this.#over = new AbortController()
    void this.#read(run, app, this.#over.signal)
  }

  async #read(run: FoundRun, app: string, signal: AbortSignal): Promise<void> {
    const lines: ShownLine[] = []
    try {
      const query = {tail: FIRST, follow: ''}
      let count = 0
      for await (const line of await run.api.follow('GET /apps/{id}/logs', {at: {id: app}, query, signal})) {
        if (signal.aborted) return
        lines.push('note' in line ? {line: line.note, stream: 'status'} : line)
        if (lines.length > 2 * KEPT) lines.splice(0, lines.length - KEPT)
        this.#lines = lines
        this.#changed()
        if (++count % AT_ONCE === 0) await pause(PAUSE_MS)
      }
    } catch (error) {
      if (signal.aborted) return
      this.#lines = [{line: messageOf(error), stream: 'status'}]
      this.#changed()
    }
  }
}
