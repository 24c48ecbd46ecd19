import {readCaller, type CallerIdentity} from '../../../proxy/gateway/caller-header.ts'
import {callerHeaders, type Identity} from './identity.ts'
import type {SidecarContext} from './invocation.ts'

/** Maximum number of remembered callers; each is an app of another run. */
const MAX_DELEGATED_CALLERS = 1000

interface DelegationContext {
  readonly sidecar: SidecarContext
  readonly identity: Identity
  /** Key known only to the user's other runs; '' = no delegation is accepted. */
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

  /** Returns the sidecar as it serves this caller. Undefined if the delegation is missing or invalid. */
  contextFor(delegation: string): SidecarContext | undefined {
    if (delegation === '') return undefined
    const known = this.#known.get(delegation)
    if (known !== undefined) return known
    const caller = readCaller(delegation, this.#host.key)
    if (caller === undefined) return undefined
    if (this.#known.size >= MAX_DELEGATED_CALLERS) this.#known.clear()
    const delegated = delegatedTo(this.#host, caller)
    this.#known.set(delegation, delegated)
    return delegated
  }
}

/** Returns the sidecar as it serves an app of another run. That app's own sidecar has added the forwarding headers, so only ids are added. */
function delegatedTo({sidecar, identity}: DelegationContext, caller: CallerIdentity): SidecarContext {
  const {maxBodyBytes, appToken, warn, copierOf, heldBodies, observer, faults, recorded} = sidecar
  const {appId, namespace} = caller
  const own = {...identity, namespace}
  const shared = {maxBodyBytes, appToken, warn, copierOf, heldBodies, observer, faults, recorded}
  return {
    ...shared,
    appId,
    admit: (call, isRefused) => sidecar.admit(call, isRefused, caller),
    callerHeaders: callee => callerHeaders(own, appId, {callee, isLocal: true})
  }
}
