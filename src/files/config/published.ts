import type {PublishedPlan, AppPlan} from '../../model/plan.ts'
import {placeText, type Source} from './diagnose.ts'
import type {ForEach, Settings} from './merge.ts'
import type {Entry} from './service-versions.ts'
import {HIGHEST_PORT, isHost, unbracketed} from './sidecar.ts'
import {basename, dirname} from 'node:path'
import {appName, mayHaveName} from '../../model/app-name.ts'
import {isDataServer} from './data-server.ts'

const EXPECTED = 'expected a port number from 1 to 65535, or an address with one, like 0.0.0.0:5100'

/** Reads the address at which others call an app: `5100`, or `ADDRESS:5100`. Undefined if only sidecars call it. */
export function publishedPlan(settings: Settings): PublishedPlan | undefined {
  const {port: written, appPort = 0, fixedPort} = settings.values
  if (written === undefined) return undefined
  const text = String(written)
  const colon = text.lastIndexOf(':')
  const host = colon < 0 ? '' : unbracketed(text.slice(0, colon).trim())
  const digits = text.slice(colon + 1)
  const number = /^\d{1,5}$/.test(digits) ? Number(digits) : 0
  if (number === 0 || number > HIGHEST_PORT || (colon >= 0 && !isHost(host)))
    return settings.refuse({key: 'port', message: 'wrong value of port', expected: EXPECTED})
  if (number === appPort)
    return settings.refuse({
      code: 'conflicting-keys',
      key: 'port',
      message: `port and appPort are both ${number}: Pillion listens at port, so the app has to listen elsewhere`,
      hint: 'leave appPort out: the app is given a free port in PORT; or write the number that it has in its code as fixedPort'
    })
  return {host, number, inCode: fixedPort ?? number}
}

/** The keys of ports that are bound once: by us, or by a program of the template. */
const PORT_KEYS = ['port', 'appPort', 'daprHTTPPort', 'daprGRPCPort', 'metricsPort'] as const

interface WrittenPort {
  readonly key: (typeof PORT_KEYS)[number]
  readonly number: number
  readonly entry: Entry
}

/** Refuses a `port` that another key or another app wants. Apps with profiles may be alternatives: they are compared at their start. */
export function checkPublished(entries: readonly Entry[], source: Source, each: ForEach): void {
  const hasAny = entries.some(({plan}) => plan.published !== undefined)
  const taken: WrittenPort[] = []
  each(hasAny ? entries : [], entry => {
    for (const port of entry.plan.profiles === undefined ? portsOf(entry) : []) {
      const first = taken.find(other => other.number === port.number && collide(other, port))
      if (first !== undefined) refuseTaken(port, first, source)
      taken.push(port)
    }
  })
}

function refuseTaken({key, number, entry}: WrittenPort, first: WrittenPort, source: Source): never {
  const {settings} = first.entry
  const whose = first.entry === entry ? '' : ` of ${JSON.stringify(settings.id)}`
  return entry.settings.refuse({
    code: 'duplicate-port',
    key,
    message: `app ${JSON.stringify(entry.plan.id)}: ${key} is ${number}, which is taken by the ${first.key}${whose} (${placeText(source, settings.spot(first.key))})`,
    hint: 'give each a number of its own'
  })
}

function portsOf(entry: Entry): readonly WrittenPort[] {
  const {settings, plan} = entry
  return PORT_KEYS.flatMap(key => {
    if (key === 'appPort' && (plan.channel.autoPort || plan.channel.address !== '')) return []
    const number = key === 'port' ? plan.published?.number : settings.values[key]
    return number === undefined || number <= 0 ? [] : {key, number, entry}
  })
}

/** Whether two equal port numbers exclude each other. Versions of an app share its `port`. */
function collide(first: WrittenPort, second: WrittenPort): boolean {
  if (first.key !== 'port' && second.key !== 'port') return false
  if (first.key !== second.key) return true
  const [one, other] = [first, second].map(({entry}) => entry.plan.published?.host || '127.0.0.1')
  const isEverywhere = [one, other].some(host => host === '0.0.0.0' || host === '::')
  return first.entry.plan.id !== second.entry.plan.id && (one === other || isEverywhere)
}

/** Reads the host name that an app asks for, and whether it goes without any. A database is not called by name. */
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

const idsOf = (entries: readonly Entry[]): readonly string[] => entries.map(({plan}) => plan.id)

/** Refuses a host name and routes of an app that has no address, and routes to apps that are unknown, or cannot be called. */
export function checkRoutes(entries: readonly Entry[], each: ForEach): void {
  const called = idsOf(entries.filter(({plan}) => mayHaveName({...plan, isNameless: false})))
  each(entries, ({plan, settings}) => {
    for (const key of ['host', 'routes'] as const)
      if (plan[key] !== undefined && !called.includes(plan.id))
        settings.refuse({
          key,
          message: `"${plan.id}" has no address for ${key}: it has no port, or speaks gRPC or h2c`,
          hint: 'give it a port, or autoPort: true'
        })
    for (const {app, prefix} of plan.routes ?? []) {
      if (called.includes(app)) continue
      const isThere = idsOf(entries).includes(app)
      const why = isThere ? 'it has no port, or speaks gRPC or h2c' : 'the template has no such app'
      settings.refuse({
        key: 'routes',
        message: `${prefix} leads to ${JSON.stringify(app)}: ${why}`,
        hint: `expected an app with a port or autoPort: true, here one of ${called.join(', ')}`
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
