import {hostname, networkInterfaces} from 'node:os'
import {isIPv6} from 'node:net'
import {readCaller, type CallerIdentity} from '../../../proxy/gateway/caller-header.ts'
import type {SidecarContext} from './invocation.ts'

/** The facts, besides its app id, by which a sidecar introduces itself to callees. */
export interface Identity {
  readonly namespace: string
  /** This machine's address, as in X-Forwarded-For. */
  readonly address: string
  readonly hostName: string
}

const outwardAddress = (): string => {
  const addresses = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  const outward = addresses.filter(each => !each.internal && !each.address.startsWith('fe80'))
  return (outward.find(each => each.family === 'IPv4') ?? outward[0])?.address ?? '127.0.0.1'
}

/** Finds the identity by Dapr's rules (Dapr: utils/host.go). The address is DAPR_HOST_IP, else that of an external interface, looked up when first read. */
export function identityOf(env: NodeJS.ProcessEnv): Identity {
  let address = env['DAPR_HOST_IP'] ?? ''
  return {
    namespace: env['NAMESPACE'] || 'default',
    get address() {
      return (address ||= outwardAddress())
    },
    hostName: hostname()
  }
}

/** Returns an address for `Forwarded`: an IPv6 address in brackets and quotes (RFC 7239 §6). */
const forwardedAddress = (address: string): string => (isIPv6(address) ? `"[${address}]"` : address)

/** Returns the header lines by which a callee knows its caller. A call to the sidecar's own app gets only the ids. */
export const callerHeaders = (
  {namespace, address, hostName}: Identity,
  caller: string,
  {callee, isLocal}: {readonly callee: string; readonly isLocal: boolean}
): string => {
  const ids = `Dapr-Caller-App-Id: ${caller}\r\nDapr-Caller-Namespace: ${namespace}\r\nDapr-Callee-App-Id: ${callee}\r\n`
  if (isLocal) return ids
  const from = forwardedAddress(address)
  return `${ids}X-Forwarded-For: ${address}\r\nX-Forwarded-Host: ${hostName}\r\nForwarded: for=${from};by=${from};host=${hostName}\r\n`
}

/** Returns a function that makes the header lines of one caller, once for each callee. */
export function linesOfCaller(identity: Identity, caller: string): (callee: string, isLocal: boolean) => string {
  const [local, remote] = [new Map<string, string>(), new Map<string, string>()]
  return (callee, isLocal) => {
    const known = isLocal ? local : remote
    let lines = known.get(callee)
    if (lines === undefined) known.set(callee, (lines = callerHeaders(identity, caller, {callee, isLocal})))
    return lines
  }
}

/** Maximum number of remembered callers of other runs. */
const MAX_DELEGATED_CALLERS = 1000

interface DelegationContext {
  readonly sidecar: SidecarContext
  readonly identity: Identity
  /** Key that only the user's other runs know; '': their calls are not accepted as those of their apps. */
  readonly key: string
}

/**
 * Identifies the callers of other runs at a sidecar. Another run's sidecar proves by the run's key that it calls for one of its apps,
 * which it names in the header `pillion-caller`. All other clients count as the sidecar's own app.
 */
export class DelegatedCallers {
  readonly #host: DelegationContext
  readonly #known = new Map<string, SidecarContext>()

  constructor(host: DelegationContext) {
    this.#host = host
  }

  /** Returns the context of a call for the app in this header; undefined: the header is missing or invalid, so the caller is the own app. */
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

/** Returns the context of calls for an app of another run. That app's own sidecar has added the forwarding headers, so only ids are added. */
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
