import type {Death} from '../observe/telemetry/recorder/deaths.ts'
import type {ExitFile} from './last-exits.ts'
import type {RunContext} from './run-context.ts'
import type {RunRecorder} from './run-recorder.ts'

/** Interval in ms at which the facts of a run are written, so that a killed run has them, too. */
const EVERY_MS = 60_000

/** Writes facts of a run to files that outlive it: exits, and counts of calls. The first fact loads the code. */
export class RunMemory {
  readonly #context: RunContext
  readonly #recorder: RunRecorder
  #exits: ExitFile | undefined
  /** Settles when the exits so far are written. */
  #written: Promise<unknown> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined

  constructor(context: RunContext, recorder: RunRecorder) {
    this.#context = context
    this.#recorder = recorder
  }

  begin(): void {
    if (this.#context.plan.file !== '') this.#timer = setInterval(() => void this.#keep(false), EVERY_MS).unref()
  }

  /** Writes an exit, after the exits before it. */
  async keepExit(death: Death): Promise<void> {
    if (this.#context.plan.file === '') return
    const writing = this.#written.then(async () => this.#write(death))
    this.#written = writing.catch(() => undefined)
    return writing
  }

  async #write(death: Death): Promise<void> {
    const {plan, env, startedAt} = this.#context
    const {ExitFile} = await import('./last-exits.ts')
    this.#exits ??= new ExitFile({env, template: plan.file, name: plan.copy ?? '', startedAt})
    await this.#exits.add(death, this.#recorder.masked)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#written // the exit that has ended the run may not be written yet
    await this.#keep(true)
  }

  /** Writes the facts so far. Never rejects: parts that need the state folder report that it cannot be written. */
  async #keep(isOver: boolean): Promise<void> {
    const {calls, deaths} = this.#recorder
    if (this.#context.plan.file === '' || (calls.last === 0 && deaths === undefined)) return
    try {
      ;(await import('./kept-runs.ts')).keepKnown(this.#context, this.#recorder, isOver)
    } catch {
      // the file cannot be written
    }
  }
}
