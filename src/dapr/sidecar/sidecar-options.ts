import type net from 'node:net'
import type {Admit} from '../../proxy/gateway/admission.ts'
import type {CallContext} from '../../proxy/gateway/call-context.ts'
import type {PageGuard} from '../../proxy/gateway/page-guard.ts'
import type {Interceptor} from '../../proxy/gateway/interceptor.ts'
import type {CallObserver, Recorded} from '../../model/call.ts'
import type {Blocks} from './blocks/blocks.ts'
import type {Identity} from './http/identity.ts'
import type {CopierOf} from './http/invocation.ts'
import type {Facts} from './http/metadata.ts'
import type {Pipeline} from './http/middleware/middleware.ts'
import type {MountedRouter} from './http/mounted-router.ts'
import type {Guards, Tracing} from './http/sidecar-request.ts'

export interface SidecarOptions {
  readonly appId: string
  /** Bound and listening on the sidecar's HTTP port; the sidecar owns them from now on. */
  readonly servers: readonly net.Server[]
  readonly admit: Admit
  readonly facts: () => Facts
  /** Health stays what it was when the app was ready first, as in Dapr: `ps` and metadata tell of an app that died or reloads. */
  readonly wasReady: () => boolean
  readonly requestShutdown: (isForced: boolean) => void
  readonly limits: {readonly maxBodyBytes: number; readonly readBufferBytes: number}
  /** Addresses it listens on besides loopback: the names allowed in a Host header. */
  readonly allowedHosts: readonly string[]
  /** Decides which requests of web pages are allowed. Default: those of apps, and of pages of this machine. */
  readonly pages?: PageGuard
  /** DAPR_API_TOKEN, and the APP_API_TOKEN of its own app; '' = none. */
  readonly tokens: {readonly api: string; readonly app: string}
  /** Loads the building blocks of the app. */
  readonly blocks: () => Promise<Blocks>
  readonly warn: (text: string) => void
  /** Called for every request when it has ended, including those to the sidecar's own API. */
  readonly recorded?: Recorded | undefined
  readonly observer?: CallObserver | undefined
  readonly faults?: CallContext['faults']
  /** Default: every request passes as it is. */
  readonly rules?: SidecarRules
  /** Additional routes on this port. */
  readonly mounted?: MountedRouter | undefined
  /** Mirrors a call to an app that has shadows. */
  readonly copierOf?: CopierOf | undefined
  /** Default: a request keeps its trace, or gets a new one. */
  readonly tracing?: Tracing
  /** The APIs that are served now; default: all. */
  readonly apiAccess?: Guards['apiAccess']
  /** Default: from this machine and our environment. */
  readonly identity?: Identity
  /** Lets other runs call on behalf of their apps (`delegated-caller.ts`); omitted: not allowed. */
  readonly key?: string
  /** False: HTTP/2 is not served (DAPR_HTTP_DISABLE_H2C). Default true. */
  readonly hasHttp2?: boolean
  /** False: every request is parsed by node:http. Default true. */
  readonly hasFastPath?: boolean
}

/** What requests of the app pass; its parts may be exchanged at any time. */
export interface SidecarRules {
  /** Stand around each call. */
  readonly interceptor: Interceptor | undefined
  /** What all requests to the sidecar pass before they are routed, but for those of other runs' sidecars. */
  readonly pipeline: Pipeline
}
