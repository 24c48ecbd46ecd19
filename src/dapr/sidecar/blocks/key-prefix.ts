import {BlockError} from './block-error.ts'

export const SEPARATOR = '||'

interface PrefixContext {
  readonly appId: string
  /** NAMESPACE of the sidecar; '': none. */
  readonly namespace: string
  readonly component: string
}

/** The prefix of an app's keys in a store, by the component's `keyPrefix`; '': none (Dapr: pkg/components/state/state_config.go). */
export function prefixOf(strategy: string, {appId, namespace, component}: PrefixContext): string {
  const word = strategy.toLowerCase()
  switch (word) {
    case '':
    case 'appid':
      return appId
    case 'namespace':
      return namespace === '' ? appId : `${namespace}.${appId}`
    case 'name':
      return component
    case 'none':
      return ''
    default:
      return word
  }
}

/** Returns Dapr's error for a key or prefix that contains the separator. */
export function illegalKey(key: string, store: string): BlockError {
  const description = `input key/keyPrefix '${key}' can't contain '${SEPARATOR}'`
  return new BlockError(
    [400, 'invalidArgument', 'ERR_MALFORMED_REQUEST'],
    `api error: code = InvalidArgument desc = ${description}`,
    {
      reason: 'DAPR_STATE_ILLEGAL_KEY',
      metadata: null,
      resource: {type: 'state', name: store, description: ''},
      badField: {field: key, description}
    }
  )
}
