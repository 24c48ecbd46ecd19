import type {ApiContext} from '../api/api.ts'
import type {Handlers} from '../control/messages.ts'
import type {CallObserver} from '../model/call.ts'
import type {AppPlan} from '../model/plan.ts'
import {CallRecorder} from '../telemetry/recorder/call-recorder.ts'

/** The recorder of a run, and the API by which others ask it. */
export class RunRecorder {
  readonly #recorder: CallRecorder
  readonly #plans: () => readonly AppPlan[]

  /** `plans`: of all apps of the run. */
  constructor(plans: () => readonly AppPlan[]) {
    this.#plans = plans
    const planOf = (app: string): AppPlan | undefined => plans().find(({id}) => id === app)
    this.#recorder = new CallRecorder({bodyBytesOf: app => planOf(app)?.record.bodyBytes})
  }

  /** Told of every call of the run. */
  get observer(): CallObserver {
    return this.#recorder
  }

  /** Answers a request under `/api/v1`; its code is loaded by the first one. */
  readonly api: Handlers['api'] = async (request, response) => {
    const masked = (): readonly string[] => this.#plans().flatMap(({record}) => record.mask)
    const context: ApiContext = {recorder: this.#recorder, masked}
    const {serveApi} = await import('../api/serve-api.ts')
    serveApi(context, request, response)
  }
}
