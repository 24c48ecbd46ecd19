import type {CallerIdentity} from './interceptors/access-control.ts'

/** The header in which one run's sidecar names the calling app to another's: `<the other run's key>/<namespace>/<app id>/<trust domain>`. */
export const CALLER_HEADER = 'Pillion-Caller'

/** Its value for the caller, for the sidecar that `key` belongs to. */
export const callerValue = (key: string, {namespace, appId, trustDomain}: CallerIdentity): string =>
  `${key}/${namespace}/${encodeURIComponent(appId)}/${encodeURIComponent(trustDomain)}`
