import {uriDecoded} from '../../model/or-else.ts'
import {isToken} from './guards.ts'
import {DEFAULT_TRUST_DOMAIN} from '../../model/environment.ts'

/** A calling app, as access control identifies it. */
export interface CallerIdentity {
  readonly trustDomain: string
  readonly namespace: string
  readonly appId: string
}

/** The header in which one run's sidecar names the calling app to another's: `<the other run's key>/<namespace>/<app id>/<trust domain>`. */
export const CALLER_HEADER = 'Pillion-Caller'

/** Returns the header's value for a caller, for the sidecar that `key` belongs to. */
export const callerValue = (key: string, {namespace, appId, trustDomain}: CallerIdentity): string =>
  [key, namespace, encodeURIComponent(appId), encodeURIComponent(trustDomain)].join('/')

/** Reads the caller from a header's value. Undefined if the key is not ours, or no caller is named. An empty key of ours accepts no value. */
export function readCaller(value: string, ours: string): CallerIdentity | undefined {
  const [key = '', namespace = '', caller = '', trustDomain = DEFAULT_TRUST_DOMAIN] = value.split('/')
  if (ours === '' || !isToken(key, ours) || caller === '') return undefined
  return {appId: uriDecoded(caller), namespace, trustDomain: uriDecoded(trustDomain)}
}
