import type net from 'node:net'
import type {AppResources} from '../../files/resources/app-resources.ts'
import type {ComponentResource} from '../../files/resources/components.ts'
import type {Environment} from '../../model/environment.ts'
import type {Plan} from '../../model/plan.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {ComponentSet} from '../components/component-set.ts'
import type {DaprdComponents} from '../components/daprd/daprd-access.ts'
import type {Admit} from '../../proxy/gateway/admission.ts'
import type {CallContext} from '../../proxy/gateway/call-context.ts'
import type {PageGuard} from '../../proxy/gateway/page-guard.ts'
import type {Interceptor} from '../../proxy/gateway/interceptor.ts'
import type {CallObserver, Recorded} from '../../model/call.ts'
import type {ActorAccess} from './actor-access.ts'
import type {LastingWork} from './blocks/block-context.ts'
import type {Blocks} from './blocks/blocks.ts'
import type {Identity} from './http/identity.ts'
import type {CopierOf} from './http/invocation.ts'
import type {Facts} from './http/metadata.ts'
import type {Pipeline} from './http/middleware/middleware.ts'
import type {MountedRouter} from './http/mounted-router.ts'
import type {ApiAccess} from '../../files/resources/dapr-configuration.ts'
import type {Tracing} from './http/sidecar-request.ts'

/** The options of a sidecar's HTTP port. */
export interface SidecarOptions {
  readonly appId: string
  /** Servers that listen on the HTTP port. The sidecar owns them from now on. */
  readonly servers: readonly net.Server[]
  readonly admit: Admit
  readonly facts: () => Facts
  /** Whether the app was ready once. From then on `/v1.0/healthz` succeeds, as in Dapr, even if the app has died. */
  readonly wasReady: () => boolean
  /** Requests the end of the run. `isForced`: without a grace period, which counts as a failure. */
  readonly requestShutdown: (isForced: boolean) => void
  readonly limits: {readonly maxBodyBytes: number; readonly readBufferBytes: number}
  /** Addresses besides loopback at which the sidecar listens, which are allowed in a Host header. */
  readonly allowedHosts: readonly string[]
  readonly pages: PageGuard
  /** DAPR_API_TOKEN, and the APP_API_TOKEN of the sidecar's own app; '': none. */
  readonly tokens: {readonly api: string; readonly app: string}
  readonly blocks: () => Promise<Blocks>
  readonly warn: (text: string) => void
  /** Whether responses have the header `Pillion-Call`; omitted: yes. */
  readonly namesCalls?: boolean
  /** Called with the record of each ended request, also of requests to the sidecar's own API. */
  readonly recorded?: Recorded | undefined
  readonly observer?: CallObserver | undefined
  readonly faults?: CallContext['faults']
  readonly rules: SidecarRules
  /** Returns additional routes on this port, if there are any. */
  readonly mounted?: (() => MountedRouter | undefined) | undefined
  /** Returns the function that mirrors calls to an app that has shadows. */
  readonly copierOf?: CopierOf | undefined
  readonly tracing: Tracing
  /** Returns the API access rules of the Configuration; undefined: all APIs are served. */
  readonly apiAccess: () => ApiAccess | undefined
  /** Omitted: found from this machine and Pillion's environment. */
  readonly identity?: Identity
  /** Key by which other runs may call for their apps; '': none may. */
  readonly key: string
  /** Whether HTTP/2 is served (DAPR_HTTP_DISABLE_H2C turns it off); omitted: yes. */
  readonly hasHttp2?: boolean
  /** Whether plain requests are parsed without node:http; omitted: yes. */
  readonly hasFastPath?: boolean
}

/** The rules for requests of the app, which may be replaced at any time. */
export interface SidecarRules {
  /** The resiliency policies of service invocation. */
  readonly interceptor: Interceptor | undefined
  /** Middleware for all requests except those of other runs' sidecars. */
  readonly pipeline: Pipeline
}

/** The options of one app's sidecar, with all of its ports. */
export interface OpenSidecarOptions {
  readonly plan: Plan
  readonly runtime: AppRuntime
  readonly env: Environment
  readonly resources: AppResources
  /** Admits the app's calls to apps. */
  readonly apps: Admit
  /** Shows a decision of a resiliency policy on the terminal. */
  readonly show: (text: string) => void
  /** Key by which the user's other runs may call for their apps. */
  readonly key: string
  readonly requestShutdown: SidecarOptions['requestShutdown']
  readonly components: () => Promise<ComponentSet>
  readonly daprd: FindDaprd
  readonly work: SidecarWork
  readonly actors: ActorAccess
  /** Called when a request to the sidecar needs a building block. */
  readonly used: () => void
  /** Returns the `appProtocol` of an app of the run; '': the run has no such app. */
  readonly protocolOf: (id: string) => string
  readonly observer: SidecarOptions['observer']
  readonly faults: SidecarOptions['faults']
  /** Returns the routes of Daeploy's manager, once the run has Daeploy services. */
  readonly mounted: SidecarOptions['mounted']
  readonly copierOf: SidecarOptions['copierOf']
  readonly ending: AbortSignal
}

/** Workflows, jobs and the outbox, which outlive the run, and what they need to know of the app. */
interface SidecarWork extends LastingWork {
  /** Called when the app accepts calls again. */
  appReady(runtime: AppRuntime): void
  connectedWorkers(runtime: AppRuntime): number
}

/** Finds a real daprd, and opens it next to the apps of a run. */
export interface FindDaprd {
  /** Reason why there is no daprd; '': there is one, or it was not looked for yet. */
  readonly whyNone: string
  /** Opens a daprd for an app; undefined: there is no daprd. */
  open(needs: DaprdNeeds): Promise<DaprdComponents | undefined>
}

/** The app, components and metadata for a daprd next to it. */
export interface DaprdNeeds {
  readonly runtime: AppRuntime
  readonly resources: readonly ComponentResource[]
  /** The metadata that Dapr's CLI sets. */
  readonly metadata: () => Readonly<Record<string, string>>
  /** Aborted when the app ends. */
  readonly ending: AbortSignal
}
