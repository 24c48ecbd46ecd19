import type {Server} from 'node:net'
import type {TracingSettings} from '../files/resources/tracing-settings.ts'
import type {AppPlan, Plan} from '../model/plan.ts'
import type {Receiver} from '../observe/telemetry/otlp/receiver.ts'
import {release} from '../proxy/net/claimed-server.ts'
import {listen, portOf} from '../proxy/ports/bind.ts'
import {Once} from '../model/once.ts'
import {otelVariables, saysWhereToSend} from '../supervisor/otel-variables.ts'
import type {SpanReaders} from './open-receiver.ts'

export interface RunSpansOptions extends SpanReaders {
  /** The tracing settings in the Configuration of an app; undefined: its sidecar was never open. */
  readonly tracingOf: (id: string) => TracingSettings | undefined
}

/** The receiver of spans for the OpenTelemetry SDKs of a run's apps. A start only opens the port; the first connection loads the code that reads it. */
export class RunSpans {
  readonly #options: RunSpansOptions
  #claim: Server | undefined
  readonly #opening = new Once<Receiver>()

  constructor(options: RunSpansOptions) {
    this.#options = options
  }

  /** Opens a free port that no app of the template wants. The run works without one. */
  async open(plan: Plan): Promise<void> {
    const [claim] = await listen(0, ['127.0.0.1']).catch(() => [])
    if (claim === undefined) return
    const isWanted = plan.apps.some(({channel, fixedPort}) => [channel.port, fixedPort].includes(portOf([claim])))
    // released after the next search, so that it finds another one
    if (isWanted) await this.open(plan).finally(() => release(claim))
    else this.#claim = claim.on('connection', () => void this.#receive(claim))
  }

  /** The environment of a new process: its SDK sends to us, unless it is configured otherwise. */
  environment(before: Record<string, string>, {id, otel}: AppPlan): Record<string, string> {
    const {zipkinUrl = '', otlp} = this.#options.tracingOf(id) ?? {}
    const isOn = otel ?? (zipkinUrl === '' && otlp === undefined)
    if (!isOn || this.#claim === undefined || saysWhereToSend(before)) return before
    return {...before, ...otelVariables(before, id, portOf([this.#claim]))}
  }

  /** Reads the rest of open requests, until `cut` is aborted. */
  async close(cut: AbortSignal): Promise<void> {
    const receiver = await this.#opening.begun?.catch(() => undefined)
    if (receiver !== undefined) await receiver.close(cut)
    else if (this.#claim !== undefined) release(this.#claim)
  }

  /** Loads the receiver, which takes over the port. After a failure the connection waits, and the next one tries again. */
  async #receive(claim: Server): Promise<void> {
    const open = async (): Promise<Receiver> => (await import('./open-receiver.ts')).openReceiver(claim, this.#options)
    await this.#opening.do(open).catch(() => undefined)
  }
}
