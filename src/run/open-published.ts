import {stripVTControlCharacters} from 'node:util'
import {asBytes} from '../model/bytes.ts'
import {PeerVariable} from '../platform/peer-variable.ts'
import type {CallContext} from '../proxy/gateway/call-context.ts'
import {HeldBodies} from '../proxy/gateway/held-bodies.ts'
import {admitBy} from '../proxy/gateway/instances.ts'
import type {Routes} from '../proxy/gateway/routes.ts'
import {bindFreed} from '../control/left-ports.ts'
import type {PublishedContext, Routed} from '../proxy/published/published-port-call.ts'
import {PublishedPort} from '../proxy/published/published-port.ts'
import {PublishedPorts, type PublishedApps} from '../proxy/published/published-ports.ts'
import {routeOf} from '../proxy/published/verbatim-head.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {AnsweringCopy} from './answering-copy.ts'
import {NearbyCopies} from './nearby-copies.ts'
import type {RunContext} from './run-context.ts'

export {withPortHooks} from './port-hooks.ts'

export interface RunPublishedOptions extends Pick<CallContext, 'observer' | 'faults'> {
  readonly routes: () => Routes<AppRuntime>
  /** Why calls to this id fail if the user has stopped its apps; '' otherwise. */
  readonly whyStopped: (id: string) => string
  /** Returns the copy that answers calls in place of this run (`pillion show`), if any. */
  readonly answering?: () => AnsweringCopy | undefined
  readonly context: Pick<RunContext, 'env' | 'plan'>
  /** Returns the app whose process has this marker; '': none. */
  readonly appOf: (marker: string) => string
}

/** How many of an app's last lines its callers get if it does not answer. */
const LAST_LINES = 10
/** Maximum number of characters of such a line: removing colours takes quadratic time. */
const MAX_LINE = 1000

/** Opens the published ports of a run. Their calls are handled like service invocations of Dapr. */
export function openPublished(
  options: RunPublishedOptions,
  freed: PublishedApps['freed'] = async (port, hosts) => bindFreed(options.context.env, port, hosts)
): PublishedPorts {
  return new PublishedPorts({...publishedApps(options), ownCopy: new NearbyCopies(options.context), freed})
}

/** Returns a port of an app without a listener: it serves the connections that other copies forward. */
export function openForwarded(options: RunPublishedOptions, id: string): PublishedPort {
  const {contextOf, appAt} = publishedApps(options)
  return new PublishedPort([], () => contextOf(id), appAt)
}

/** Returns the parts with which published ports find the app that is called and the app that calls. */
export function publishedApps(options: RunPublishedOptions): Omit<PublishedApps, 'ownCopy' | 'freed'> {
  const contexts = new Map<string, PublishedContext>()
  const markers = new PeerVariable('PILLION_LIFE')
  const routedTo = (path: string, id: string): Routed | undefined => {
    const routes = options.routes().versions.main(id)?.wanted.routes
    const route = routes && routeOf(routes, path)
    return route && {context: contextOf(route.app), strips: route.strips ? route.prefix : ''}
  }
  const contextOf = (id: string): PublishedContext => {
    const known = contexts.get(id)
    if (known !== undefined) return known
    const context = {...newContext(id, options), routed: (path: string) => routedTo(path, id)}
    contexts.set(id, context)
    return context
  }
  return {contextOf, appAt: ends => options.appOf(markers.of(ends))}
}

const withoutControls = (line: string): string => stripVTControlCharacters(line.slice(0, MAX_LINE))

function newContext(
  id: string,
  {observer, faults, routes, whyStopped, answering}: RunPublishedOptions
): PublishedContext {
  const first = (): AppRuntime | undefined => routes().versions.main(id)
  const admit = admitBy({
    find: callee => routes().versions.callee(callee),
    elsewhere: () => ({ok: false, status: 503, error: whyStopped(id) || 'it is not part of the run any more'})
  })
  return {
    callee: id,
    heldBodies: new HeldBodies(),
    observer,
    faults,
    admit: (call, isRefused) => answering?.()?.admit(call, isRefused) ?? admit(call, isRefused),
    namesCalls: () => first()?.plan.record.namesCalls !== false,
    // the caller decides whether another copy answers, so the call is not admitted before the caller is known
    isOpen: () => answering?.()?.answers(id) !== true && first()?.queue.isOpen === true,
    isOwnPort: port => [first()?.appPort, first()?.plan.published?.number].includes(port),
    hint: () => (first()?.app.state.phase === 'exited' ? `pillion restart ${id} starts it again` : ''),
    lastLines: () => first()?.app.lastLines.stderr.slice(-LAST_LINES).map(withoutControls) ?? [],
    warn: text => first()?.logs.sidecar.write(asBytes(`${text}\n`), 'warn')
  }
}
