import type {Server} from 'node:net'
import type {TracingSettings} from '../files/resources/tracing-settings.ts'
import type {AppPlan, Plan} from '../model/plan.ts'
import type {Reporter} from '../model/reporter.ts'
import type {Receiver} from '../observe/telemetry/otlp/receiver.ts'
import type {CallRecorder} from '../observe/telemetry/recorder/call-recorder.ts'
import {release} from '../proxy/net/claimed-server.ts'
import {listen, portOf} from '../proxy/ports/claim.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import {otelVariables, saysWhereToSend} from '../supervisor/otel-variables.ts'

export interface RunSpansOptions {
  readonly reporter: Reporter
  /** Has the store once there is one. */
  readonly recorder: CallRecorder
  readonly runtimes: () => readonly AppRuntime[]
  /** What the Configuration of an app says of traces; undefined: its sidecar is not open. */
  readonly tracingOf: (id: string) => TracingSettings | undefined
}

/** Where the OpenTelemetry SDKs of a run's apps send to. A start only opens the port; the first connection loads what reads it. */
export class RunSpans {
  readonly #options: RunSpansOptions
  #claim: Server | undefined
  #opening: Promise<Receiver> | undefined

  constructor(options: RunSpansOptions) {
    this.#options = options
  }

  /** Opens a free port that no app of the template wants. Where there is none the run works without. */
  async open(plan: Plan): Promise<void> {
    const [claim] = await listen(0, ['127.0.0.1']).catch(() => [])
    if (claim === undefined) return
    const isWanted = plan.apps.some(({channel, fixedPort}) => [channel.port, fixedPort].includes(portOf([claim])))
    // held meanwhile, so that another one is found
    if (isWanted) await this.open(plan).finally(() => release(claim))
    else this.#claim = claim.once('connection', () => void this.#receive(claim))
  }

  /** The environment of a new process: its SDK sends to us, unless something says where to. */
  environment(before: Record<string, string>, {id, otel}: AppPlan): Record<string, string> {
    const {zipkinUrl = '', otlp} = this.#options.tracingOf(id) ?? {}
    const isOn = otel ?? (zipkinUrl === '' && otlp === undefined)
    if (!isOn || this.#claim === undefined || saysWhereToSend(before)) return before
    return {...before, ...otelVariables(before, id, portOf([this.#claim]))}
  }

  /** Reads what is being sent, until `cut` is aborted. */
  async close(cut: AbortSignal): Promise<void> {
    const receiver = await this.#opening
    if (receiver !== undefined) await receiver.close(cut)
    else if (this.#claim !== undefined) release(this.#claim)
  }

  async #receive(claim: Server): Promise<void> {
    this.#opening ??= import('./open-receiver.ts').then(({openReceiver}) => openReceiver(claim, this.#options))
    await this.#opening
  }
}
