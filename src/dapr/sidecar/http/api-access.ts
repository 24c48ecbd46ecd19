import {isRuleFor} from '../../../model/dapr/api/routes.ts'
import type {ApiAccess} from '../../../files/resources/dapr-configuration.ts'

/** Returns whether the sidecar serves a route, such as `v1.0/state/*`. Denied rules win over allowed ones; health is always served. */
export const isRouteServed = (access: ApiAccess | undefined, route: string): boolean => {
  if (access === undefined || route.startsWith('v1.0/healthz')) return true
  const {allowed, denied} = access
  const isNamed = (rule: string): boolean => isRuleFor(rule, route)
  if (denied.some(isNamed)) return false
  return allowed.length === 0 || allowed.some(isNamed)
}
