import type {Death} from '../observe/telemetry/recorder/deaths.ts'
import type {ExitFile} from './last-exits.ts'
import type {RunContext} from './run-context.ts'
import type {RunRecorder} from './run-recorder.ts'

/** Interval of writing the facts of a run, in ms, in case it is killed. */
const EVERY_MS = 60_000

/** Facts that outlive a run: exits, and counts of calls. The first fact loads the code. */
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

  /** The run has started. */
  begin(): void {
    if (this.#context.plan.file !== '') this.#timer = setInterval(() => void this.#keep(false), EVERY_MS).unref()
  }

  /** Writes one after the other. */
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

  /** The run has ended. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#written // the last one may have ended the run
    await this.#keep(true)
  }

  /** Never rejects: a state folder that cannot be written is reported by the parts that need it. */
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
