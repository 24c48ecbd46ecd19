// observe/api/workflows/ shows and changes the workflows of a run. Loaded by the first request about one.
import type * as Api from '../../../model/api.generated.ts'
import {stallsOf} from '../../../work/workflow/failure.ts'
import {readEvent} from '../../../work/workflow/messages.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'
import type {Instance} from '../../../work/workflow/instance.ts'
import type {ApiRequest} from '../route.ts'
import {findInstance} from './find-instance.ts'
import {historyView} from './history-view.ts'
import {instanceDetail} from './instance-view.ts'
import {timelineView} from './timeline-view.ts'
import {possibleEvents} from './possible-events.ts'
import type {AppPlan} from '../../../model/plan.ts'

export {listInstances} from './list-instances.ts'
export {replayInstance} from './replay-instance.ts'
export {skipTime} from './skip-time.ts'
export {changeInstance, purgeInstances, startInstance} from './change-instances.ts'

/** The instance that a query names. Throws an ApiProblem. */
const asked = (workflows: Workflows, {query}: ApiRequest): Instance =>
  findInstance(workflows, {id: query.get('id') ?? '', app: query.get('app') ?? ''})

export const oneInstance = (workflows: Workflows, request: ApiRequest): Api.WorkflowDetail =>
  instanceDetail(workflows, asked(workflows, request))

/** `plans`: of the apps of the run, to read their code. */
export async function oneTimeline(
  workflows: Workflows,
  request: ApiRequest,
  plans: readonly Pick<AppPlan, 'id' | 'folder'>[]
): Promise<Api.WorkflowTimeline> {
  const instance = asked(workflows, request)
  const view = timelineView(workflows, instance)
  const isWaiting = view.steps.some(({kind, state}) => state === 'waits' && (kind === 'timer' || kind === 'event'))
  const folder = plans.find(({id}) => id === instance.app)?.folder
  return {...view, events: isWaiting ? await possibleEvents(workflows, instance, folder) : []}
}

export function oneHistory(workflows: Workflows, request: ApiRequest): Api.WorkflowHistory {
  const instance = asked(workflows, request)
  const events = [...workflows.events(instance), ...stallsOf(instance).map(readEvent)]
  return {app: instance.app, id: instance.id, events: historyView(events)}
}
