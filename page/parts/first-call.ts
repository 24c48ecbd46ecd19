import {appList} from '../state/run.ts'

/** Returns a curl command that calls one app, `to` if it is named, through the sidecar of another; empty if there is none. */
export function firstCall(to = ''): string {
  const callees = appList.value.filter(({id, appPort}) => (to === '' ? appPort > 0 : id === to && appPort > 0))
  const caller =
    appList.value.find(({id, httpPort}) => httpPort > 0 && id !== to) ?? callees.find(({httpPort}) => httpPort > 0)
  const callee = callees.find(({id}) => id !== caller?.id) ?? (to === '' ? caller : callees[0])
  if (caller === undefined || callee === undefined) return ''
  return `curl http://${caller.sidecarHost ?? '127.0.0.1'}:${caller.httpPort}/v1.0/invoke/${callee.id}/method/`
}
