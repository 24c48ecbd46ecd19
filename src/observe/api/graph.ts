import type * as Api from '../../model/api.generated.ts'
import type {AppPlan} from '../../model/plan.ts'

/**
 * Returns the graph of a run. Calls are compared with `dependsOn` if an app uses it; calls of a sidecar to its own app need no declaration.
 * `asleep`: the ids of the apps that sleep.
 */
export function graphView(
  edges: readonly Api.Edge[],
  plans: readonly AppPlan[],
  asleep: readonly string[] = []
): Api.Graph {
  const declared = new Map<string, Set<string>>()
  for (const {id, dependsOn} of plans) {
    const ids = declared.get(id) ?? new Set()
    declared.set(id, ids)
    for (const dependency of dependsOn) ids.add(dependency.id)
  }
  const isUsed = plans.some(({dependsOn}) => dependsOn.length > 0)
  const views = edges.map(edge => {
    const isBetweenApps = declared.has(edge.from) && declared.has(edge.to) && edge.from !== edge.to
    return isUsed && isBetweenApps ? {...edge, isDeclared: declared.get(edge.from)?.has(edge.to) === true} : edge
  })
  const silent = [...declared].flatMap(([from, ids]) =>
    [...ids].filter(to => !edges.some(edge => edge.from === from && edge.to === to)).map(to => ({from, to}))
  )
  // an app without calls is a job, a database, or a server that is used without its sidecar
  const isCalled = (id: string): boolean => edges.some(edge => edge.to === id && edge.from !== id)
  const isMissed = ({from, to}: Pair): boolean => isCalled(to) && isForCalls(from, to, plans)
  return {
    apps: [...declared.keys()],
    asleep: [...new Set(asleep)],
    edges: views,
    uncalled: silent.filter(isMissed),
    awaited: silent.filter(pair => !isMissed(pair))
  }
}

type Pair = Api.Graph['uncalled'][number]

/** Whether an app that depends on another one may call it. */
function isForCalls(from: string, to: string, plans: readonly AppPlan[]): boolean {
  const isAwaited = ({id, dependsOn}: AppPlan): boolean =>
    id === from && dependsOn.some(each => each.id === to && each.until === 'completed')
  const isDeaf = ({id, channel}: AppPlan): boolean => id === to && channel.port === 0 && !channel.autoPort
  return !plans.some(plan => isAwaited(plan) || isDeaf(plan))
}
