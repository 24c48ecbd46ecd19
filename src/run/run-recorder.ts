import type {ApiContext, NotRunning} from '../api/api.ts'
import type {Handlers} from '../control/messages.ts'
import {succeeded, type Exit} from '../model/app-state.ts'
import type {CallObserver} from '../model/call.ts'
import type {Event} from '../model/events.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {CallRecorder} from '../telemetry/recorder/call-recorder.ts'
import {Deaths} from '../telemetry/recorder/deaths.ts'
import {lastLines} from './last-lines.ts'

/** Of the output before an end. */
const LINES = 50

/** The recorder of a run: its calls, the ends of its apps, and the API by which others ask for them. */
export class RunRecorder {
  readonly #recorder: CallRecorder
  readonly #runtimes: () => readonly AppRuntime[]
  /** The latest reload of each app, by name: what was saved, and when it was done (`performance.now()`). */
  readonly #reloads = new Map<string, {readonly files: readonly string[]; readonly at: number}>()
  #deaths: Deaths | undefined

  /** `runtimes`: all apps of the run. */
  constructor(runtimes: () => readonly AppRuntime[]) {
    this.#runtimes = runtimes
    const bodyBytesOf = (app: string): number | undefined =>
      runtimes().find(({id}) => id === app)?.plan.record.bodyBytes
    this.#recorder = new CallRecorder({bodyBytesOf})
  }

  /** Told of every call of the run. */
  get observer(): CallObserver {
    return this.#recorder
  }

  /** An event of the run. */
  noticed(event: Event): void {
    if (event.type === 'reloaded') this.#reloads.set(event.id, {files: event.files, at: performance.now()})
  }

  /** A process has ended although nobody asked it to: keeps what is known. The result is the number of the end; 0: it is none to explain. */
  died(runtime: AppRuntime, exit: Exit): number {
    if (succeeded(exit)) return 0
    const {id, name, queue, logs} = runtime
    const {from, to} = runtime.app.lived
    const reload = this.#reloads.get(name)
    const interrupted = queue.interruptedBy({from, to})
    const {record} = logs.app
    const end = record.length
    this.#deaths ??= new Deaths(this.#recorder)
    return this.#deaths.add({
      app: id,
      name,
      exit,
      at: Date.now(),
      livedMs: to - from,
      files: reload !== undefined && reload.at >= from ? reload.files : [],
      inside: interrupted.map(({pendingCall: {number = 0}, forMs}) => ({number, forMs})),
      lines: async () => lastLines(record, end, LINES)
    })
  }

  /** Answers a request under `/api/v1`; its code is loaded by the first one. */
  readonly api: Handlers['api'] = async (request, response) => {
    const {serveApi} = await import('../api/serve-api.ts')
    await serveApi(this.#context, request, response)
  }

  get #context(): ApiContext {
    return {
      recorder: this.#recorder,
      deaths: this.#deaths,
      masked: () => this.#runtimes().flatMap(({plan}) => plan.record.mask),
      apps: () => this.#runtimes().map(notRunning)
    }
  }
}

const notRunning = (runtime: AppRuntime): NotRunning => ({
  id: runtime.id,
  name: runtime.name,
  isReady: runtime.isReady,
  reason: runtime.queue.isOpen ? '' : runtime.queue.reason
})
