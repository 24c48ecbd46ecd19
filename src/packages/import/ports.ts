// Gives each app one number over all sources. Addresses of compose services name the app until then.
import {withTexts, type ImportedApp} from './imported.ts'
import {portOfCallers, isFixed} from './reading/listening.ts'

/** Returns the place of an app's number in an address, with the number that it has so far. */
export const numberOf = (service: string, port: number): string => `\uE000${service}\uE000${port}\uE000`
const PLACE = /\uE000([^\uE000]*)\uE000(\d+)\uE000/g

/** A text with the numbers that apps have so far. */
export const plainNumbers = (text: string): string => text.replaceAll(PLACE, '$2')

/** Values and notes with the numbers of apps in all of their addresses. */
export function withNumbers<T>(values: T, apps: readonly ImportedApp[]): T {
  const ports = new Map(apps.map(app => [app.service ?? app.id, portOfCallers(app)]))
  return withTexts(values, text =>
    text.replaceAll(PLACE, (_, id: string, port: string) => `${ports.get(id) || port}`)
  ) as T
}

const publishedBy = ({published = []}: ImportedApp): readonly number[] => published.map(({port}) => port)

/** Numbers that files have come first, then those of code, then those that can be chosen. */
const rankOf = (app: ImportedApp): number =>
  app.published !== undefined ? 0 : app.listens?.called !== undefined ? Number(isFixed(app)) : 3 - Number(isFixed(app))

/** Gives apps different numbers, where programs can take another one, else a note. The first app keeps its number. */
export function withOwnPorts(apps: readonly ImportedApp[]): readonly ImportedApp[] {
  const used = new Set(apps.flatMap(app => [portOfCallers(app), app.listens?.port ?? 0, ...publishedBy(app)]))
  const owners = new Map<number, string>()
  const take = (app: ImportedApp, ...ports: readonly number[]): void => {
    for (const port of ports.filter(each => each > 0)) {
      used.add(port)
      if (!owners.has(port)) owners.set(port, app.id)
    }
  }
  const decided = new Map<ImportedApp, ImportedApp>()
  for (const app of apps.toSorted((a, b) => rankOf(a) - rankOf(b))) {
    const notes: string[] = []
    const note = (key: string, port: number, mend: string): unknown =>
      owners.has(port) &&
      notes.push(`${key}: ${port} is that of ${owners.get(port) ?? ''}, too, and only one can listen there: ${mend}`)
    for (const {port, text} of app.published ?? [])
      note('ports', port, `write another number in front of the colon of --publish ${text}`)
    const [port, own, fixed] = [portOfCallers(app), app.listens?.port ?? 0, isFixed(app)]
    if (fixed) note('appPort', own, 'have the program listen on another port, and write that here')
    const isMoved = owners.has(port) && (!fixed || port !== own)
    const called = isMoved ? freeFrom(port + 1, used) : port
    // callers of a service without a published number name it
    if (isMoved && (app.service === undefined || app.listens?.called !== undefined))
      notes.push(`port: ${port} is that of ${owners.get(port) ?? ''}: this one is called at ${called}`)
    take(app, called, ...(fixed ? [own] : []), ...publishedBy(app))
    // a template has no appPort that is the port of another app
    const isTaken = fixed && [...decided.values()].some(each => !isFixed(each) && portOfCallers(each) === own)
    const moved = isMoved ? {port: own, ...app.listens, called} : app.listens
    const listens = isTaken ? {port: 0, ...(called !== own && {called})} : moved
    decided.set(app, {...app, ...(listens && {listens}), notes: [...app.notes, ...notes]})
  }
  return apps.map(app => decided.get(app) ?? app)
}

/** The number, or the next one that is not used. */
export function freeFrom(port: number, used: ReadonlySet<number>): number {
  let free = port
  while (used.has(free)) free += 1
  return free
}
