import type {Instance} from '../../../work/workflow/instance.ts'
import {within} from '../../../platform/delay.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'
import {noSuchApp} from '../apps.ts'
import {ApiProblem, wholeIn} from '../problem.ts'
import type {RunFacts} from '../run-facts.ts'
import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {STATUSES} from '../../../work/workflow/status.ts'
import {instanceView} from './instance-view.ts'
import {givenTime, rowsIn} from './requests.ts'

/** Finds an instance; `app` is '' if it is not given. Throws an ApiProblem if there is none, or if several apps have one with this id. */
export function findInstance(workflows: Workflows, {id, app}: Pick<Instance, 'id' | 'app'>): Instance {
  const apps = app === '' ? workflows.appsWith(id) : [app]
  if (apps.length > 1)
    throw new ApiProblem(409, `several apps have a workflow '${id}': ${apps.join(', ')}`, 'Name the app (--app-id).')
  const instance = workflows.find(apps[0] ?? '', id)
  if (instance !== undefined) return instance
  const of = app === '' ? '' : ` of "${app}"`
  throw new ApiProblem(404, `there is no workflow '${id}'${of}`, 'pillion workflow list shows those that are there.')
}

/** Time to wait for a worker if only workers show which app is meant, in ms: they connect soon after their app is ready. */
const FIRST_WORKER_MS = 5000

/** Returns the app that is to start a workflow. Throws an ApiProblem if it is missing or ambiguous. */
export async function startingApp({control}: RunFacts, workflows: Workflows, wanted: string): Promise<string> {
  const apps = control.list().apps
  const ids = [...new Set(apps.map(({id}) => id))]
  if (wanted !== '') {
    if (!ids.includes(wanted)) throw noSuchApp(apps, {id: wanted, version: ''})
    return wanted
  }
  if (ids.length > 1) await within(FIRST_WORKER_MS, workflows.firstWorker)
  const working = ids.filter(id => workflows.connected(id) > 0)
  const [first, ...others] = working.length > 0 ? working : ids
  if (first !== undefined && others.length === 0) return first
  throw new ApiProblem(
    409,
    'the app ID is required when there are multiple Dapr instances. Please specify it using the --app-id flag',
    `It is one of: ${[first, ...others].join(', ')}.`
  )
}

/** Returns the latest instances that the parameters of a request mean. Throws a UserError. */
export function listInstances(workflows: Workflows, query: URLSearchParams): Api.Workflows {
  const limit = rowsIn(query)
  const statuses = query.getAll('status').map(statusIn)
  const found = workflows.search(
    {
      app: query.get('app') ?? undefined,
      name: query.get('name') ?? undefined,
      statuses: statuses.length === 0 ? undefined : statuses,
      createdFrom: givenTime('since', query.get('since')),
      createdBefore: givenTime('until', query.get('until')),
      trace: query.get('trace') ?? undefined,
      before: wholeIn(query, 'before')
    },
    limit + 1
  )
  const shown = found.slice(0, limit)
  return {
    workflows: shown.map(instance => instanceView(workflows, instance)),
    next: found.length > limit ? (shown.at(-1)?.key ?? null) : null
  }
}

/** Returns the number of a status. Throws a UserError. */
export function statusIn(word: string): number {
  const status = STATUSES.indexOf(word.toUpperCase())
  if (status >= 0) return status
  throw new UserError(`there is no status "${word}"`, {explanation: `There are: ${STATUSES.join(', ')}.`})
}
