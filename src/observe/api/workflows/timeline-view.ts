import type * as Api from '../../../model/api.generated.ts'
import type {Instance} from '../../../work/workflow/instance.ts'
import {isTerminal} from '../../../work/workflow/status.ts'
import {timelineOf, type Step} from '../../../work/workflow/timeline.ts'
import {activitySpanId} from '../../../work/workflow/work-spans.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'
import {instanceView, timeText} from './instance-view.ts'

/** The steps of an instance, and which workers it lacks. */
export function timelineView(workflows: Workflows, instance: Instance): Omit<Api.WorkflowTimeline, 'events'> {
  const steps = timelineOf(workflows.events(instance), instance.app, workflows.timers(instance))
  const busy = steps.filter(({kind, state}) => state === 'waits' && (kind === 'activity' || kind === 'child'))
  const needed = isTerminal(instance.status) ? [] : [instance.app, ...busy.map(({app}) => app)]
  return {
    workflow: instanceView(workflows, instance),
    steps: steps.map(step => stepView(instance, step)),
    missing: [...new Set(needed)].filter(app => workflows.connected(app) === 0)
  }
}

const stepView = (instance: Instance, {id, startedAt, endedAt, until, ...rest}: Step): Api.WorkflowStep => ({
  ...rest,
  span: rest.kind === 'activity' ? activitySpanId(instance, id) : '',
  eventId: id < 0 ? null : id,
  startedAt: timeText(startedAt),
  endedAt: endedAt === undefined ? null : timeText(endedAt),
  until: until === undefined ? null : timeText(until)
})
