import {decoded} from '../../../model/bytes.ts'
import type {LogBatch} from '../../logging/run-log.ts'
import {nearMiss} from '../../../model/near-miss.ts'
import {compile, impossible, met, waiting, type WaitCheck, type Standing} from './condition.ts'
import {matcherOf, type Matcher} from './matcher.ts'
import {appsCalled, type Since, type WaitContext} from './wait-context.ts'

/** Maximum number of characters searched at a time. */
const MAX_TEXT = 64 * 1024
/** Maximum number of characters that wait to be searched. Further output is counted without a search. */
const MAX_WAITING = 8 * 1024 * 1024

/** `log`: an app, or any app, has written a line since `since` that matches a pattern. */
export function logCheck(context: WaitContext, {text, rest}: {text: string; rest: string}, since: Since): WaitCheck {
  const {app, pattern, hint} = split(context, rest)
  compile(pattern, text)
  const reading = new LogReading(context, {app, pattern, since})
  return {
    look: () => {
      const {standing, isCaughtUp} = reading
      if (standing.state !== 'waiting') return standing
      const meant = appsCalled(context.apps(), app)
      const apps = app === '' ? [] : meant
      if (app !== '' && meant.length === 0) return impossible(`${app} has left the run`)
      // no line follows the end of a process: the run reports it after all its output
      const isSilent = isCaughtUp && meant.length > 0 && meant.every(each => !each.hasProcess && !each.isChanging)
      return {state: isSilent ? 'impossible' : 'waiting', reason: standing.reason + hint, apps}
    },
    close: () => reading.close()
  }
}

/** Splits `ID:PATTERN`. A word before the first colon is an id if the run has such an app; else it belongs to the pattern. */
function split({apps}: WaitContext, rest: string): {app: string; pattern: string; hint: string} {
  const all = apps()
  const [, first = '', after = ''] = /^([^:]+):(.+)$/s.exec(rest) ?? []
  if (first !== '' && appsCalled(all, first).length > 0) return {app: first, pattern: after, hint: ''}
  const ids = all.map(({id}) => id)
  const near = /^[\w.-]+$/.test(first) ? nearMiss(first, ids) : ''
  const hint = near === '' ? '' : `; the run has no app "${first}": did you mean ${near}:?`
  return {app: '', pattern: rest, hint}
}

/** Searches written output, the latest first, then new output. */
class LogReading {
  readonly #isMeant: (batch: LogBatch) => boolean
  readonly #pattern: string
  readonly #matcher: Matcher
  readonly #stop: () => void
  #waiting: LogBatch[] = []
  #size = 0
  #skipped = 0
  #isOver = false
  #isIdle = false
  #unyielded = 0
  standing: Standing

  constructor({apps, runLog}: WaitContext, {app, pattern, since}: {app: string; pattern: string; since: Since}) {
    this.#pattern = pattern
    const names = (): ReadonlySet<string> => new Set(appsCalled(apps(), app).map(({writer}) => writer))
    // Pillion's status lines about an app are not output of the app
    this.#isMeant = ({writer, stream}) => stream !== 'status' && (app === '' || names().has(writer.name))
    this.#matcher = matcherOf(pattern)
    const whose = app === '' ? 'no app' : app
    this.standing = waiting(`${whose} has ${app === '' ? '' : 'not '}written a line that matches /${pattern}/`)
    const written = runLog.latest()
    this.#stop = runLog.tap(batch => this.#take(batch))
    void this.#read(written, since)
  }

  /** Whether everything that was written has been searched. */
  get isCaughtUp(): boolean {
    return this.#isIdle && this.#waiting.length === 0
  }

  close(): void {
    this.#isOver = true
    this.#stop()
    this.#matcher.close()
    this.#waiting = []
  }

  #take(batch: LogBatch): void {
    if (this.#isOver || !this.#isMeant(batch)) return
    if (this.#size > MAX_WAITING) this.#skipped += batch.text.length
    else {
      this.#waiting.push(batch)
      this.#size += batch.text.length
      this.#wake()
    }
  }

  #wake = (): void => undefined

  async #read(written: Iterable<LogBatch>, since: Since): Promise<void> {
    try {
      for (const batch of written) {
        if (this.#isOver) return
        if (batch.number < since.place || batch.time < since.time) break
        if (this.#isMeant(batch) && (await this.#matches(batch))) return
      }
      while (!this.#isOver) {
        const batch = this.#waiting.shift()
        if (batch === undefined) {
          this.#isIdle = true
          await new Promise<void>(resolve => (this.#wake = resolve))
          this.#isIdle = false
        } else {
          this.#size -= batch.text.length
          if (await this.#matches(batch)) return
        }
      }
    } catch (error) {
      this.standing = impossible(error instanceof Error ? error.message : String(error))
    }
  }

  async #matches({writer, text}: LogBatch): Promise<boolean> {
    for (let at = 0; at < text.length && !this.#isOver;) {
      const cut = text.lastIndexOf('\n', at + MAX_TEXT)
      const end = cut < at ? text.length : cut + 1
      const lines = decoded(text.slice(at, end)).replace(/\n$/, '').split('\n')
      const found = await this.#matcher.find(lines)
      await this.#yield(end - at)
      if (found >= 0) {
        this.standing = met(`${writer.name} wrote: ${shortened(lines[found] ?? '')}`)
        return true
      }
      at = end
    }
    if (this.#skipped > 0)
      this.standing = waiting(
        `no line matched /${this.#pattern}/; ${this.#skipped} characters came too fast to be looked at`
      )
    return false
  }

  /** Yields to calls while many lines are read. */
  async #yield(size: number): Promise<void> {
    this.#unyielded += size
    if (this.#unyielded < MAX_TEXT) return
    this.#unyielded = 0
    await new Promise(setImmediate)
  }
}

const MAX_SHOWN = 500
const shortened = (line: string): string => (line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line)
