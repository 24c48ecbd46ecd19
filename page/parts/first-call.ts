import {appList} from '../state/run.ts'

/** Returns a curl command that calls one app through the sidecar of another; '' if no app has a sidecar. */
export function firstCall(): string {
  const caller = appList.value.find(({httpPort}) => httpPort > 0)
  if (caller === undefined) return ''
  const callee = appList.value.find(({id, appPort}) => appPort > 0 && id !== caller.id) ?? caller
  return `curl http://${caller.sidecarHost ?? '127.0.0.1'}:${caller.httpPort}/v1.0/invoke/${callee.id}/method/`
}
