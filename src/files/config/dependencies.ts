import type {Dependency} from '../../model/plan.ts'
import {isList} from '../../model/is-object.ts'
import {nearMiss} from '../../model/near-miss.ts'
import type {ForEach, Settings} from './merge.ts'

/** Returns the dependencies of each app, in the template's order. Refuses unknown ids and cycles. `dependsOn` in `common` applies to all apps except those that it names. */
export function dependenciesOf(apps: readonly Settings[], each: ForEach): readonly (readonly Dependency[])[] {
  const ids = new Set(apps.map(({id}) => id))
  const all = each(apps, app => {
    const named = written(app)
    const dependencies = app.isOwn('dependsOn') || named.every(({id}) => id !== app.id) ? named : []
    for (const {id} of dependencies) if (!ids.has(id)) refuseUnknown(app, id, ids)
    return dependencies
  })
  refuseCycles(apps, all)
  return all
}

/** Returns the dependencies of an app. A list means `ready` for each. */
function written({values: {dependsOn = []}}: Settings): readonly Dependency[] {
  return isList(dependsOn)
    ? dependsOn.map(id => ({id, until: 'ready'}))
    : Object.entries(dependsOn).map(([id, until]) => ({id, until}))
}

/** The path of an id in `dependsOn`: its index in a list, itself in a map. */
export const insideFor = ({values: {dependsOn = []}}: Settings, id: string): readonly string[] => [
  isList(dependsOn) ? String(dependsOn.indexOf(id)) : id
]

function refuseUnknown(app: Settings, id: string, ids: ReadonlySet<string>): never {
  const near = nearMiss(id, ids)
  return app.refuse({
    code: 'unknown-dependency',
    key: 'dependsOn',
    inside: insideFor(app, id),
    message: `app ${JSON.stringify(app.id)} depends on ${JSON.stringify(id)}, which is not an app of this template`,
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
      code: 'dependency-cycle',
      key: 'dependsOn',
      inside: insideFor(culprit, towards),
      message: `dependsOn is circular: ${callCycle.join(' → ')}`,
      hint: 'remove one of these: calls wait for an app that starts, also without dependsOn'
    })
  }
}

/** Returns a cycle at the end of a path, with its first id repeated at the end. Adds ids that lead to no cycle to `done`. */
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
