import type {ApiContext, NotRunning} from '../api/api.ts'
import type {RunControl} from '../api/apps.ts'
import type {RunEvents} from '../api/events/run-events.ts'
import type {Handlers} from '../control/messages.ts'
import type {RunLog} from '../logging/run-log.ts'
import type {Event} from '../model/events.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {RunRecorder} from './run-recorder.ts'

export interface RunApiOptions {
  readonly recorder: RunRecorder
  /** All apps of the run. */
  readonly runtimes: () => readonly AppRuntime[]
  /** Undefined before the run is registered. */
  readonly control: () => RunControl | undefined
  readonly runLog: () => RunLog
}

/** The API of a run; its code is loaded by the first request. */
export class RunApi {
  readonly #options: RunApiOptions
  #events: RunEvents | undefined

  constructor(options: RunApiOptions) {
    this.#options = options
  }

  /** Answers a request under `/api/v1`. */
  readonly handle: Handlers['api'] = async (request, response) => {
    const control = this.#options.control()
    if (control === undefined) return void response.writeHead(503).end()
    const {serveApi} = await import('../api/serve-api.ts')
    await serveApi(this.#context(control), request, response)
  }

  /** An event of the run. */
  noticed(event: Event): void {
    this.#events?.noticed(event)
  }

  /** The run has ended: readers of events are told. */
  close(): void {
    this.#events?.close()
  }

  #context(control: RunControl): ApiContext {
    const {recorder, runtimes} = this.#options
    return {
      recorder: recorder.calls,
      deaths: recorder.deaths,
      control,
      masked: () => runtimes().flatMap(({plan}) => plan.record.mask),
      plans: () => runtimes().map(({plan}) => plan),
      apps: () => runtimes().map(notRunning),
      events: async () => {
        const {RunEvents} = await import('../api/events/run-events.ts')
        this.#events ??= new RunEvents(() => this.#context(control), this.#options.runLog())
        return this.#events
      }
    }
  }
}

const notRunning = (runtime: AppRuntime): NotRunning => ({
  id: runtime.id,
  name: runtime.name,
  isReady: runtime.isReady,
  reason: runtime.queue.isOpen ? '' : runtime.queue.reason
})
