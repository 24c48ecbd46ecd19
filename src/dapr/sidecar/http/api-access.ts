import type {ApiAccess} from '../../../files/resources/dapr-configuration.ts'

/** A route that Dapr has, with its version; the fallback for all others. */
export const INVOKE_ROUTE = 'v1.0/invoke'

const isMeant = (route: string) => (rule: string) => route === rule || route.startsWith(`${rule}/`)

/** Whether the sidecar serves a route, `v1.0/state/…`: what is denied goes before what is allowed. Health is always served. */
export const isRouteServed = (access: ApiAccess | undefined, route: string): boolean => {
  if (access === undefined || route.startsWith('v1.0/healthz')) return true
  const {allowed, denied} = access
  if (denied.some(isMeant(route))) return false
  return allowed.length === 0 || allowed.some(isMeant(route))
}
