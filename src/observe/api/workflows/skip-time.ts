import {givenObject} from '../problem.ts'
import type * as Api from '../../../model/api.generated.ts'
import {REMINDER, type Reminder} from '../../../work/actor/reminder-store.ts'
import type {Instance} from '../../../work/workflow/instance.ts'
import {readEvent} from '../../../work/workflow/messages.ts'
import type {Job} from '../../../work/job/job.ts'
import {JOB} from '../../../work/job/jobs.ts'
import {MAX_SKIP_MS} from '../../../work/skip.ts'
import type {WakeUp} from '../../../work/wake-ups.ts'
import {TIMER} from '../../../work/workflow/workflow-store.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'
import type {ApiRequest} from '../route.ts'
import {UserError} from '../../../model/errors.ts'
import {askedWhole} from './requests.ts'

/** Skips time, and returns the work that fell due on the way. Throws a UserError. */
export async function skipTime(workflows: Workflows, {body, gone}: ApiRequest): Promise<Api.Skipped> {
  const ms = askedWhole(givenObject(body, '{"ms": 86400000}'), 'ms') ?? 0
  if (ms === 0 || ms > MAX_SKIP_MS)
    throw new UserError('ms is missing, 0, or more than a hundred years', {
      explanation: 'For example: {"ms": 86400000}'
    })
  const {fired, others, isSettled} = await workflows.skip(ms, gone, wakeUp => ownerOf(workflows, wakeUp))
  const views = fired.flatMap(({kind, of, name: text, data, afterMs: after}): Api.SkippedTimer[] => {
    const afterMs = Math.round(after)
    if (kind === REMINDER) {
      const {app, type, id: actorId, name: reminder} = JSON.parse(text) as Reminder
      return [{kind: 'reminder', afterMs, app, id: actorId, name: reminder, eventId: null, actor: type}]
    }
    if (kind === JOB) {
      const {app, name} = JSON.parse(text) as Pick<Job, 'app' | 'name'>
      return [{kind: 'job', afterMs, app, id: '', name, eventId: null, actor: null}]
    }
    if (of === undefined) return []
    const {app, id, name} = of
    const eventId = kind === TIMER ? (readEvent(data).timerFired?.timerId ?? null) : null
    return [{kind: eventId === null ? 'start' : 'timer', afterMs, app, id, name, eventId, actor: null}]
  })
  return {fired: views, others, isSettled}
}

/** Returns the workflow of a wake-up, if it is of a workflow, without payloads. */
function ownerOf(workflows: Workflows, {kind, owner}: WakeUp): Pick<Instance, 'app' | 'id' | 'name'> | undefined {
  const instance = [REMINDER, JOB].includes(kind) ? undefined : workflows.at(owner)
  return instance && {app: instance.app, id: instance.id, name: instance.name}
}
