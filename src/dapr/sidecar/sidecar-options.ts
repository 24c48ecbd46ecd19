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

export interface SidecarOptions {
  readonly appId: string
  /** Bound and listening on the sidecar's HTTP port; the sidecar owns them from now on. */
  readonly servers: readonly net.Server[]
  readonly admit: Admit
  readonly facts: () => Facts
  /** Whether the app was ready once. As in Dapr, health stays true then; `ps` and metadata show an app that died or reloads. */
  readonly wasReady: () => boolean
  /** `isForced`: without a grace period, which counts as a failure. */
  readonly requestShutdown: (isForced: boolean) => void
  readonly limits: {readonly maxBodyBytes: number; readonly readBufferBytes: number}
  /** Addresses besides loopback at which it listens: the names allowed in a Host header. */
  readonly allowedHosts: readonly string[]
  /** Decides which requests of web pages are allowed. */
  readonly pages: PageGuard
  /** DAPR_API_TOKEN, and the APP_API_TOKEN of its own app; '': none. */
  readonly tokens: {readonly api: string; readonly app: string}
  /** Loads the building blocks of the app. */
  readonly blocks: () => Promise<Blocks>
  readonly warn: (text: string) => void
  /** Whether responses name their call. Default true. */
  readonly namesCalls?: boolean
  /** Called for every request when it has ended, including those to the sidecar's own API. */
  readonly recorded?: Recorded | undefined
  readonly observer?: CallObserver | undefined
  readonly faults?: CallContext['faults']
  readonly rules: SidecarRules
  /** Returns additional routes on this port, if there are any. */
  readonly mounted?: (() => MountedRouter | undefined) | undefined
  /** Mirrors a call to an app that has shadows. */
  readonly copierOf?: CopierOf | undefined
  readonly tracing: Tracing
  readonly apiAccess: () => ApiAccess | undefined
  /** Default: from this machine and our environment. */
  readonly identity?: Identity
  /** Lets other runs call on behalf of their apps (`delegated-caller.ts`); '': not allowed. */
  readonly key: string
  /** Whether HTTP/2 is served (DAPR_HTTP_DISABLE_H2C turns it off). Default true. */
  readonly hasHttp2?: boolean
  /** Whether plain requests are parsed without node:http. Default true. */
  readonly hasFastPath?: boolean
}

/** The rules for requests of the app; they may be replaced at any time. */
export interface SidecarRules {
  readonly interceptor: Interceptor | undefined
  /** Middleware for all requests before they are routed, except those of other runs' sidecars. */
  readonly pipeline: Pipeline
}

/** The options of one app's sidecar. */
export interface OpenSidecarOptions {
  readonly plan: Plan
  readonly runtime: AppRuntime
  /** The environment that we were started in. */
  readonly env: Environment
  readonly resources: AppResources
  /** Admits the app's calls to apps. */
  readonly apps: Admit
  /** Shows a policy's decision to the person at the terminal. */
  readonly show: (text: string) => void
  /** Lets the user's other runs call on behalf of their apps. */
  readonly key: string
  /** Requests the end of the run. `isForced`: without a grace period, which counts as a failure. */
  readonly requestShutdown: (isForced: boolean) => void
  readonly components: () => Promise<ComponentSet>
  readonly daprd: FindDaprd
  readonly work: SidecarWork
  readonly actors: ActorAccess
  /** Called when a request to the sidecar needs a building block. */
  readonly used: () => void
  /** The `appProtocol` of an app of the run; '' if the run has no such app. */
  readonly protocolOf: (id: string) => string
  readonly observer: SidecarOptions['observer']
  readonly faults: SidecarOptions['faults']
  /** The manager's routes, once the run has Daeploy services. */
  readonly mounted: SidecarOptions['mounted']
  readonly copierOf: SidecarOptions['copierOf']
  /** Aborted when the run is asked to end. */
  readonly ending: AbortSignal
}

/** The parts that outlive the run. */
interface SidecarWork extends LastingWork {
  /** Called when the app accepts calls again. */
  appReady(runtime: AppRuntime): void
  connectedWorkers(runtime: AppRuntime): number
}

/** Opens real daprds for the apps of a run. */
export interface FindDaprd {
  /** Why there is no daprd; '' if there is one, or before it was looked for. */
  readonly whyNone: string
  /** Opens a daprd for an app. Undefined if there is none. */
  open(needs: DaprdNeeds): Promise<DaprdComponents | undefined>
}

/** The inputs of a daprd next to an app. */
export interface DaprdNeeds {
  readonly runtime: AppRuntime
  /** All components in the app's resource files. */
  readonly resources: readonly ComponentResource[]
  /** The metadata that Dapr's CLI sets. */
  readonly metadata: () => Readonly<Record<string, string>>
  /** Aborted when its app ends. */
  readonly ending: AbortSignal
}
