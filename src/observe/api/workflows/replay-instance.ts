import {givenObject} from '../problem.ts'
import type * as Api from '../../../model/api.generated.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'
import type {ApiRequest} from '../route.ts'
import {findInstance} from './find-instance.ts'
import {timeText} from './instance-view.ts'
import {askedText, askedWhole, asProblem} from './requests.ts'

/** Replays one turn of an instance. Throws a UserError. */
export async function replayInstance(workflows: Workflows, {body, gone}: ApiRequest): Promise<Api.WorkflowReplayed> {
  const given = givenObject(body, '{"id": "o-17", "turn": 0}')
  const instance = findInstance(workflows, {id: askedText(given, 'id'), app: askedText(given, 'app')})
  const {app, id, name} = instance
  const {at, ...replayed} = await asProblem(async () =>
    workflows.replay(instance, askedWhole(given, 'turn') ?? 0, gone)
  )
  return {app, id, name, at: timeText(at), ...replayed}
}
