import {uriDecoded} from '../../model/or-else.ts'
import {isToken} from './guards.ts'
import {DEFAULT_TRUST_DOMAIN} from '../../files/resources/identity.ts'

/** A calling app, as access control identifies it. */
export interface CallerIdentity {
  readonly trustDomain: string
  readonly namespace: string
  readonly appId: string
}

/** The header in which one run's sidecar names the calling app to another's: `<the other run's key>/<namespace>/<app id>/<trust domain>`. */
export const CALLER_HEADER = 'Pillion-Caller'

/** Its value for the caller, for the sidecar that `key` belongs to. */
export const callerValue = (key: string, {namespace, appId, trustDomain}: CallerIdentity): string =>
  [key, namespace, encodeURIComponent(appId), encodeURIComponent(trustDomain)].join('/')

/** The caller that a value names; undefined if its key is not ours, or it names none. If our key is '', no value is accepted. */
export function readCaller(value: string, ours: string): CallerIdentity | undefined {
  const [key = '', namespace = '', caller = '', trustDomain = DEFAULT_TRUST_DOMAIN] = value.split('/')
  if (ours === '' || !isToken(key, ours) || caller === '') return undefined
  return {appId: uriDecoded(caller), namespace, trustDomain: uriDecoded(trustDomain)}
}
