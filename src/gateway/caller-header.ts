/** The field in which one run's sidecar says to another's for whom it speaks: `<the other run's key>/<namespace>/<app id>`. */
export const CALLER_FIELD = 'Pillion-Caller'

/** The line with which a run introduces its app at the sidecar that `key` belongs to. */
export const callerLine = (key: string, caller: string, namespace: string): string =>
  `${CALLER_FIELD}: ${key}/${namespace}/${encodeURIComponent(caller)}\r\n`
