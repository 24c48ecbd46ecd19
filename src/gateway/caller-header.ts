/** The header in which one run's sidecar names the calling app to another's: `<the other run's key>/<namespace>/<app id>`. */
export const CALLER_HEADER = 'Pillion-Caller'

/** The header line for the caller, for the sidecar that `key` belongs to. */
export const callerLine = (key: string, caller: string, namespace: string): string =>
  `${CALLER_HEADER}: ${key}/${namespace}/${encodeURIComponent(caller)}\r\n`
