import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {STATUSES} from '../../../work/workflow/status.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'
import {instanceView} from './instance-view.ts'
import {wholeIn} from '../problem.ts'
import {givenTime, rowsIn} from './requests.ts'

/** The latest instances that the parameters of a request mean. Throws a UserError. */
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

/** The number of a status. Throws a UserError. */
export function statusIn(word: string): number {
  const status = STATUSES.indexOf(word.toUpperCase())
  if (status >= 0) return status
  throw new UserError(`there is no status "${word}"`, {explanation: `There are: ${STATUSES.join(', ')}.`})
}
