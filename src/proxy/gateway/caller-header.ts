import {uriDecoded} from '../../model/or-else.ts'
import {isToken} from './guards.ts'
import {DEFAULT_TRUST_DOMAIN} from '../../model/environment.ts'

/** A calling app, as access control identifies it. */
export interface CallerIdentity {
  readonly trustDomain: string
  readonly namespace: string
  readonly appId: string
}

/** Header in which one run's sidecar names the calling app to the sidecar of another run: `<that run's key>/<namespace>/<app id>/<trust domain>`. */
export const CALLER_HEADER = 'Pillion-Caller'

/** Returns the value of the header for a caller. `key`: secret of the run that gets the request. */
export const callerValue = (key: string, {namespace, appId, trustDomain}: CallerIdentity): string =>
  [key, namespace, encodeURIComponent(appId), encodeURIComponent(trustDomain)].join('/')

/** Reads the caller from the value of the header. Returns undefined if the key is not `ours`, or no caller is named. `ours`: key of this run; '': accepts no value. */
export function readCaller(value: string, ours: string): CallerIdentity | undefined {
  const [key = '', namespace = '', caller = '', trustDomain = DEFAULT_TRUST_DOMAIN] = value.split('/')
  if (ours === '' || !isToken(key, ours) || caller === '') return undefined
  return {appId: uriDecoded(caller), namespace, trustDomain: uriDecoded(trustDomain)}
}
