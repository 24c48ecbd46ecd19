import {basename, dirname} from 'node:path'
import {appName, mayHaveName} from '../../model/app-name.ts'
import type {AppPlan} from '../../model/plan.ts'
import {isDataServer} from './data-server.ts'
import {placeText, type Source} from './diagnose.ts'
import type {ForEach, Settings} from './merge.ts'
import type {Entry} from './service-versions.ts'

/** Reads the host name that an app asks for, and whether it has one. A database is not called by name. */
export function namePlan(
  {values: {host, names}}: Settings,
  app: Parameters<typeof isDataServer>[0]
): Pick<AppPlan, 'host' | 'isNameless'> {
  const isNameless = names === false || (host === undefined && isDataServer(app))
  return {...(host !== undefined && {host: host.toLowerCase()}), ...(isNameless && {isNameless})}
}

/** Reads the routes of an app, the longest prefix first. */
export function routePlans({values: {routes = {}}}: Settings): Pick<AppPlan, 'routes'> {
  const plans = Object.entries(routes).map(([path, to]) => ({
    prefix: path.replace(/(?<=.)\/+$/, ''),
    app: typeof to === 'string' ? to : to.app,
    strips: typeof to === 'object' && to.strip === true
  }))
  return plans.length === 0 ? {} : {routes: plans.toSorted((a, b) => b.prefix.length - a.prefix.length)}
}

/** Refuses routes to apps that are unknown, or cannot be called. */
export function checkRoutes(entries: readonly Entry[], each: ForEach): void {
  each(entries, ({plan, settings}) => {
    for (const {app, prefix} of plan.routes ?? []) {
      const to = entries.find(other => other.plan.id === app)
      if (to !== undefined && mayHaveName({...to.plan, isNameless: false})) continue
      const why = to === undefined ? 'the template has no such app' : 'it has no port, or speaks gRPC'
      settings.refuse({
        key: 'routes',
        message: `${prefix} leads to ${JSON.stringify(app)}: ${why}`,
        hint: `expected one of ${entries.map(other => other.plan.id).join(', ')}, with a port or autoPort: true`
      })
    }
  })
}

/** Refuses a host name that two apps would have. Apps with profiles may be alternatives. */
export function checkNames(
  entries: readonly Entry[],
  {source, file, name}: {readonly source: Source; readonly file: string; readonly name: string | undefined},
  each: ForEach
): void {
  const space = {project: name || basename(dirname(file)), copy: ''}
  const named = new Map<string, Entry>()
  each(entries, entry => {
    const {plan, settings} = entry
    if (!mayHaveName(plan) || plan.profiles !== undefined) return
    const host = appName(plan, space)
    const first = named.get(host) ?? entry
    named.set(host, first)
    if (first.plan.id === plan.id) return
    const places = [first.settings, settings].map(one =>
      placeText(source, one.spot(one.values.host ? 'host' : 'appID'))
    )
    settings.refuse({
      code: 'duplicate-name',
      key: settings.values.host === undefined ? 'appID' : 'host',
      message: `the apps ${JSON.stringify(first.plan.id)} and ${JSON.stringify(plan.id)} are both called ${host}: ${places.join(' and ')}`,
      hint: 'write host: NAME on one of them, or names: false'
    })
  })
}
