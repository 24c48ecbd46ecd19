import type {Dependency} from '../model/plan.ts'
import {nearMiss} from '../model/near-miss.ts'
import type {Settings} from './merge.ts'

/**
 * What each app waits for, in the template's order. An id that no app has and a circle throw. What `common` says counts
 * for all apps but the one it names.
 */
export function dependenciesOf(apps: readonly Settings[]): readonly (readonly Dependency[])[] {
  const ids = new Set(apps.map(({id}) => id))
  const all = apps.map(app => {
    const dependencies = written(app).filter(({id}) => id !== app.id || app.isOwn('dependsOn'))
    for (const {id} of dependencies) if (!ids.has(id)) refuseUnknown(app, id, ids)
    return dependencies
  })
  refuseCycles(apps, all)
  return all
}

/** A list waits until the apps are ready. */
function written({values: {dependsOn = []}}: Settings): readonly Dependency[] {
  return isList(dependsOn)
    ? dependsOn.map(id => ({id, until: 'ready'}))
    : Object.entries(dependsOn).map(([id, until]) => ({id, until}))
}

const isList = (value: object): value is readonly string[] => Array.isArray(value)

/** Where an id stands in `dependsOn`: at its index in a list, under itself in a map. */
const insideFor = ({values: {dependsOn = []}}: Settings, id: string): readonly string[] => [
  isList(dependsOn) ? String(dependsOn.indexOf(id)) : id
]

function refuseUnknown(app: Settings, id: string, ids: ReadonlySet<string>): never {
  const near = nearMiss(id, ids)
  return app.refuse({
    key: 'dependsOn',
    inside: insideFor(app, id),
    message: `app ${JSON.stringify(app.id)} depends on ${JSON.stringify(id)}, which is no app of this template`,
    hint: near === '' ? '' : `did you mean ${near}?`
  })
}

function refuseCycles(apps: readonly Settings[], all: readonly (readonly Dependency[])[]): void {
  const next = new Map<string, string[]>()
  for (const [index, {id}] of apps.entries())
    next.set(id, [...(next.get(id) ?? []), ...(all[index] ?? []).map(dependency => dependency.id)])
  const done = new Set<string>()
  for (const app of apps) {
    const callCycle = cycleFrom([app.id], next, done)
    if (callCycle === undefined) continue
    const [id = '', towards = ''] = callCycle
    const culprit = apps.find((each, index) => each.id === id && all[index]?.some(({id: on}) => on === towards)) ?? app
    culprit.refuse({
      key: 'dependsOn',
      inside: insideFor(culprit, towards),
      message: `dependsOn goes round in a circle: ${callCycle.join(' → ')}`
    })
  }
}

/** The ids of a circle that the path runs into, the first repeated at the end; ids that lead into none are put into `done`. */
function cycleFrom(
  path: readonly string[],
  next: ReadonlyMap<string, readonly string[]>,
  done: Set<string>
): readonly string[] | undefined {
  const last = path.at(-1) ?? ''
  if (done.has(last)) return undefined
  if (path.indexOf(last) < path.length - 1) return path.slice(path.indexOf(last))
  for (const id of next.get(last) ?? []) {
    const callCycle = cycleFrom([...path, id], next, done)
    if (callCycle !== undefined) return callCycle
  }
  done.add(last)
  return undefined
}
