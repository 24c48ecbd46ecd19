// blocks/ serves the calls to building blocks for HTTP and gRPC alike, and is independent of both.
import type {AppComponent, AppComponents} from '../../components/app-components.ts'
import {API, type Block} from '../../../model/dapr/api/api.ts'
import type {AttemptControl} from '../../../proxy/gateway/interceptors/resiliency/attempt.ts'
import type {
  CallTreatment,
  ComponentPolicies,
  ComponentTargetName
} from '../../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import type {CallObserver, ComponentUse} from '../../../model/call.ts'
import type {ComponentEvent} from '../../../model/component-event.ts'
import type {LogLevel} from '../../../model/plan.ts'
import type {WarningCode} from '../../../model/reporter.ts'
import type {ComponentDirection} from '../../../files/resources/resiliency/resiliency.ts'
import {messageOf} from '../../../model/errors.ts'
import {nearMiss} from '../../../model/near-miss.ts'
import type {Configuration} from '../../../files/resources/dapr-configuration.ts'
import type {Jobs} from '../../../work/job/jobs.ts'
import type {Outbox} from '../../../work/outbox.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'
import type {ActorAccess} from '../actor-access.ts'
import type {BlockError} from './block-error.ts'

/** Makers of Dapr's errors for a missing component. `why`: Pillion's reason in brackets, after a space; '': none. */
export interface Missing {
  /** No component of this block exists for the app. */
  readonly none: (why: string) => BlockError
  /** Other components of the block exist, but none of this name. */
  readonly unknown: (why: string) => BlockError
}

/** The facts about one app, and the services of its sidecar, that its building blocks use. */
export interface BlockContextOptions {
  readonly appId: string
  /** See `AppRuntime.home`. */
  readonly instance: string
  readonly isHttpApp: boolean
  /** NAMESPACE of the sidecar; '': none. */
  readonly namespace: string
  /** Start times of the app's living processes, in ms of performance.now(); 0: the run did not start it. The first receives the calls. */
  readonly lives: () => readonly number[]
  readonly components: AppComponents
  readonly configuration: () => Configuration
  /** Returns why a component that a file names is missing, in brackets after a space; '' if no file names it. */
  readonly whyMissing: (name: string) => string
  readonly policies: () => ComponentPolicies | undefined
  readonly counted: (event: ComponentEvent) => void
  readonly startSpan: StartSpan
  readonly work: LastingWork
  readonly actors: Pick<ActorAccess, 'load' | 'reminders' | 'elsewhere' | 'faults'>
  readonly log: BlockLog
  /** Gets each use of a component; omitted: uses are not recorded. */
  readonly observer?: CallObserver | undefined
  /** Posts JSON to the app; undefined: it has no port. */
  readonly postToApp: PostToApp | undefined
}

/** Workflows, jobs and the outbox, which outlive the run. Each is loaded when it is first needed. */
export interface LastingWork {
  readonly workflows: () => Promise<Workflows>
  readonly jobs: () => Promise<Jobs>
  readonly outbox: () => Promise<Outbox>
}

/** Posts JSON to the app. Resolves with the reason why the app did not accept it; '': it did. `attempt`: of a policy, which may stop it. */
export type PostToApp = (path: string, body: string, attempt?: AttemptControl) => Promise<string>

export interface BlockSpan {
  readonly traceparent: string
  /** Ends the span. `status`: the HTTP status or gRPC code of the answer; 0: OK, or no answer. `why`: the failure; '': none. */
  end(status: number, why: string): void
}

/** Begins a span of the trace in `traceparent`. Returns undefined if tracing is off. */
export type StartSpan = (
  name: string,
  traceparent: string,
  attributes: Readonly<Record<string, string>>
) => BlockSpan | undefined

interface BlockLog {
  readonly isDebug: boolean
  write(level: LogLevel, text: string): void
  /** Writes to the log, and shows each text once on the terminal. */
  warn(code: WarningCode, text: string): void
}

export interface OutboundCall extends CallTreatment {
  readonly block: Block
  readonly name: string
  /** The operation for metrics, or the topic of a broker; omitted: the call is not counted. */
  readonly operation?: string
  /** The event that is published. `id`: '': it has none. */
  readonly event?: {readonly topic: string; readonly id: string; readonly traceparent: string}
}

export const policyTarget = (block: Block, name: string, direction: ComponentDirection): ComponentTargetName => ({
  name,
  kind: API[block].components.policies,
  direction
})

/** The common context of the building blocks of one app: facts about the app, and calls to its components. */
export type BlockContext = BlockContextOptions & ComponentCalls

export const blockContext = (options: BlockContextOptions): BlockContext =>
  Object.assign(new ComponentCalls(options), options)

export abstract class AppBlock {
  readonly context: BlockContext

  constructor(context: BlockContext) {
    this.context = context
  }
}

class ComponentCalls {
  readonly #options: BlockContextOptions

  constructor(options: BlockContextOptions) {
    this.#options = options
  }

  /** Finds the component that a call names. Rejects with Dapr's error and Pillion's reason. */
  async component<B extends Block>(block: B, name: string, missing: Missing): Promise<AppComponent<B>> {
    const {components} = this.#options
    const found = components.find(block, name)
    if (found === undefined) {
      const why = this.whyNone(block, name)
      throw components.names(block).length === 0 ? missing.none(why) : missing.unknown(why)
    }
    return found.catch((error: unknown) => {
      throw missing.none(` (${name} could not be opened: ${messageOf(error)})`)
    })
  }

  /** Returns Pillion's reason why no component has this name, in brackets after a space; '': unknown. */
  whyNone(block: Block, name: string): string {
    const {components, whyMissing} = this.#options
    const failure = components.failed.get(name)
    if (failure !== undefined) return ` (${name} could not be opened: ${failure})`
    return whyMissing(name) || near(name, components.names(block))
  }

  /** Calls a component with its outbound policies, and counts the call. */
  async outbound<T>(call: OutboundCall, work: (attempt?: AttemptControl) => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    const end = this.#options.components.beginCall(call.name)
    try {
      const policies = this.#options.policies()
      const result =
        policies === undefined
          ? await work()
          : await policies.around(policyTarget(call.block, call.name, 'outbound'), work, call)
      this.#count(call, '', startedAt)
      return result
    } catch (error) {
      this.#count(call, messageOf(error) || 'failed', startedAt)
      throw error
    } finally {
      end()
    }
  }

  #note(
    {block, name: component, operation = '', event, onGone}: OutboundCall,
    failure: string,
    times: Pick<ComponentUse, 'startedAt' | 'totalMs'>
  ): void {
    const {observer, appId: app} = this.#options
    // a call to a language model has a record of its own
    if (observer?.used === undefined || block === 'conversation') return
    observer.used({
      ...times,
      app,
      block,
      component,
      operation: event?.topic ?? operation,
      failure,
      event: event?.id ?? '',
      // the traceparent that the caller sent: under a span of the sidecar, the caller's own span would not be found
      traceparent: onGone?.traceparent || (event?.traceparent ?? '')
    })
  }

  /** `failure`: why the call failed; '': it did not. */
  #count(call: OutboundCall, failure: string, startedAt: number): void {
    const {block, name: component, operation} = call
    const elapsedMs = performance.now() - startedAt
    const isSuccess = failure === ''
    this.#note(call, failure, {startedAt, totalMs: elapsedMs})
    if (operation === undefined) return
    const words = API[block].components
    if ('counted' in words)
      this.#options.counted({type: 'called', component, block: words.counted, operation, isSuccess, elapsedMs})
    else if (block === 'pubsub')
      this.#options.counted({type: 'published', component, topic: operation, isSuccess, elapsedMs})
  }
}

function near(name: string, names: readonly string[]): string {
  if (names.length === 0) return ''
  const best = nearMiss(name, names)
  return best === '' ? ` (there is: ${names.join(', ')})` : ` (did you mean ${best}?)`
}
