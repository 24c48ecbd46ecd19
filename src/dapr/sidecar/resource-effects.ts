import {isDeepStrictEqual} from 'node:util'
import {SerialQueue} from '../../model/serial-queue.ts'
import type {ExternalEndpoints} from '../../proxy/gateway/external-endpoints.ts'
import type {ComponentPolicies} from '../../proxy/gateway/interceptors/resiliency/component-policies.ts'
import type {BreakerView} from '../../proxy/gateway/interceptors/resiliency/policy-interceptor.ts'
import type {AppResources, ResourceSnapshot} from '../../files/resources/app-resources.ts'
import {DEFAULT_TRUST_DOMAIN} from '../../model/environment.ts'
import {pipelineOf, type PipelineKey} from '../../files/resources/http-pipeline.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {Opening} from '../../supervisor/opening.ts'
import {plainError} from './http/errors.ts'
import {appPipelineOf, type Middleware, type Pipeline} from './http/middleware/middleware.ts'
import type {SidecarPolicies} from './policies.ts'
import type {ResiliencyReporterOptions} from '../../proxy/gateway/interceptors/resiliency/report.ts'
import type {SidecarRules} from './sidecar-options.ts'
import type {SidecarTracing} from './tracing.ts'

export interface ResourceEffectsOptions {
  readonly runtime: AppRuntime
  readonly resources: AppResources
  /** Namespace of the app when it calls others. */
  readonly namespace: string
  readonly tracing: SidecarTracing
  readonly external: Pick<ExternalEndpoints, 'pipeline'>
  readonly decisions: ResiliencyReporterOptions
  readonly warn: (text: string) => void
}

/**
 * Applies an app's resources to its sidecar: policies, access control, traces and middleware. The code of each is loaded when a resource
 * first needs it. After a change of the files, calls in flight keep the settings that they began with.
 */
export class ResourceEffects {
  readonly #options: ResourceEffectsOptions
  readonly rules: {-readonly [Key in keyof SidecarRules]: SidecarRules[Key]} = {interceptor: undefined, pipeline: []}
  #policies: SidecarPolicies | undefined
  readonly #opening: Opening
  readonly #over = new AbortController()

  private constructor(options: ResourceEffectsOptions) {
    this.#options = options
    this.#opening = options.runtime.opening
  }

  /** Applies the current resources, and follows their changes. Settles when all rules apply: no request may pass before. */
  static async open(options: ResourceEffectsOptions): Promise<ResourceEffects> {
    const effects = new ResourceEffects(options)
    await effects.#follow(
      ({resiliency}) => resiliency,
      async resiliency => effects.#usePolicies(resiliency)
    )
    await effects.#follow(
      ({configuration}) => configuration,
      async configuration => effects.#useAccess(configuration)
    )
    await effects.#follow(
      ({configuration}) => configuration.tracing,
      async tracing => options.tracing.use(tracing)
    )
    await effects.#followPipeline('httpPipeline', pipeline => void (effects.rules.pipeline = pipeline))
    await effects.#followPipeline('appHttpPipeline', pipeline => effects.#useAppPipeline(pipeline))
    return effects
  }

  get breakers(): readonly BreakerView[] {
    return this.#policies?.breakers() ?? []
  }

  /** Policies for components and actors; undefined: there are none. */
  get componentPolicies(): ComponentPolicies | undefined {
    return this.#policies?.components
  }

  close(): void {
    this.#over.abort()
  }

  /** Calls `use` with a part of the resources, and again after each change of it, one call after the other. */
  async #follow<T>(part: (snapshot: ResourceSnapshot) => T, use: (value: T) => Promise<void>): Promise<void> {
    const {resources} = this.#options
    const changes = new SerialQueue()
    let current = part(resources.snapshot)
    const stop = resources.onChange(snapshot => {
      const next = part(snapshot)
      if (isDeepStrictEqual(next, current)) return
      current = next
      void changes.run(async () => use(next))
    })
    this.#over.signal.addEventListener('abort', stop, {once: true})
    await changes.run(async () => use(current))
  }

  async #usePolicies(resiliency: ResourceSnapshot['resiliency']): Promise<void> {
    const {decisions} = this.#options
    // calls in flight may still open a circuit breaker of earlier policies, which is not counted any more
    const recorded: typeof decisions.recorded = event => void (this.#policies === now && decisions.recorded(event))
    const now =
      resiliency.resources.length === 0
        ? undefined
        : (await import('./policies.ts')).policiesOf(resiliency, {...decisions, recorded})
    this.#policies = now
    this.rules.interceptor = this.#policies?.interceptor
  }

  /** Applies the access control of the Configuration: which apps may call this one, and its identity as a caller. A faulty one prevents its start. */
  async #useAccess({accessControl, fault}: ResourceSnapshot['configuration']): Promise<void> {
    const {runtime, namespace} = this.#options
    const opening = this.#opening
    const {id, plan} = runtime
    opening.faults.set('configuration', fault)
    opening.identity = {appId: id, namespace, trustDomain: accessControl?.trustDomain ?? DEFAULT_TRUST_DOMAIN}
    if (accessControl === undefined) return void (opening.accessControl = undefined)
    const {AccessControlInterceptor} = await import('../../proxy/gateway/interceptors/access-control.ts')
    opening.accessControl = new AccessControlInterceptor(accessControl, !plan.channel.protocol.startsWith('grpc'))
  }

  /** Follows a pipeline of middleware. A faulty one prevents the start of the app; after the start the last valid one stays. */
  async #followPipeline(key: PipelineKey, use: (pipeline: Pipeline) => void): Promise<void> {
    const {warn} = this.#options
    const {faults} = this.#opening
    let hasOne = false
    const kept = new Map<string, Middleware>()
    await this.#follow(
      ({configuration, components}) => pipelineOf(key, configuration[key], components),
      async specs => {
        const pipeline =
          specs.length === 0 ? [] : await (await import('./http/middleware/pipeline.ts')).createPipeline(specs, kept)
        if (typeof pipeline !== 'string') {
          hasOne = true
          faults.delete(key)
          use(pipeline)
        } else if (!hasOne) {
          faults.set(key, pipeline)
          use([() => plainError(500, pipeline)])
        } else warn(`${pipeline}: the middleware stays as it was`)
      }
    )
  }

  #useAppPipeline(pipeline: Pipeline): void {
    const {runtime, external} = this.#options
    external.pipeline = pipeline.length === 0 ? undefined : appPipelineOf(pipeline)
    this.#opening.pipeline = runtime.plan.channel.protocol.startsWith('grpc') ? undefined : external.pipeline
  }
}
