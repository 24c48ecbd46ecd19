import type {Admit} from '../../../proxy/gateway/admission.ts'
import {readCaller, type CallerIdentity} from '../../../proxy/gateway/caller-header.ts'
import type {HeldBodies} from '../../../proxy/gateway/held-bodies.ts'
import {callerHeaders, type Identity} from './identity.ts'
import type {SidecarContext} from './invocation.ts'

/** Maximum number of remembered callers; each is an app of another run. */
const MAX_DELEGATED_CALLERS = 1000

export interface DelegationContext {
  readonly sidecar: SidecarContext
  readonly identity: Identity
  /** Known only to the user's other runs; '' = no delegation is accepted. */
  readonly key: string
}

/**
 * Callers of other runs at a sidecar. A client that knows the run's key may name the app for which it calls; any other client
 * is treated as the sidecar's own app.
 */
export class DelegatedCallers {
  readonly #host: DelegationContext
  readonly #known = new Map<string, SidecarContext>()

  constructor(host: DelegationContext) {
    this.#host = host
  }

  /** The sidecar as it serves this caller; undefined: the delegation is missing or invalid. */
  contextFor(delegation: string): SidecarContext | undefined {
    if (delegation === '') return undefined
    const known = this.#known.get(delegation)
    if (known !== undefined) return known
    const caller = readCaller(delegation, this.#host.key)
    if (caller === undefined) return undefined
    if (this.#known.size >= MAX_DELEGATED_CALLERS) this.#known.clear()
    const delegated = new DelegatedCaller(this.#host, caller)
    this.#known.set(delegation, delegated)
    return delegated
  }
}

/** A sidecar that serves an app of another run. That app's own sidecar has already added the forwarding headers, so only ids are added. */
class DelegatedCaller implements SidecarContext {
  readonly appId: string
  readonly admit: Admit
  readonly #host: SidecarContext
  readonly #identity: Identity

  constructor({sidecar, identity}: DelegationContext, caller: CallerIdentity) {
    this.appId = caller.appId
    this.#host = sidecar
    this.#identity = {...identity, namespace: caller.namespace}
    this.admit = (call, isRefused) => sidecar.admit(call, isRefused, caller)
  }

  get maxBodyBytes(): number {
    return this.#host.maxBodyBytes
  }

  get appToken(): string {
    return this.#host.appToken
  }

  get warn(): (text: string) => void {
    return this.#host.warn
  }

  get copierOf(): SidecarContext['copierOf'] {
    return this.#host.copierOf
  }

  callerHeaders(callee: string): string {
    return callerHeaders(this.#identity, this.appId, {callee, isLocal: true})
  }

  get heldBodies(): HeldBodies {
    return this.#host.heldBodies
  }

  get observer(): SidecarContext['observer'] {
    return this.#host.observer
  }

  get faults(): SidecarContext['faults'] {
    return this.#host.faults
  }

  get recorded(): SidecarContext['recorded'] {
    return this.#host.recorded
  }
}
