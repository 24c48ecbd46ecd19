import type * as Api from '../../../model/api.generated.ts'
import {type ActorAnswer, ActorError} from '../../../work/actor/actor-host.ts'
import type {Reminder} from '../../../work/actor/reminder-store.ts'
import type {FiringName} from '../../../work/actor/timers.ts'
import {ApiProblem, givenObject} from '../problem.ts'
import type {ApiRequest} from '../route.ts'
import {policyText} from '../jobs/job-view.ts'
import type {ActorFacts} from '../run-facts.ts'
import {timeText} from '../workflows/instance-view.ts'
import {askedText} from '../workflows/requests.ts'

/** Describes a reminder without its data, with times of the machine's clock. `aheadMs`: how far the run's clock is ahead of that. */
export const reminderView = (reminder: Reminder, aheadMs: number): Api.Reminder => {
  const {app, type, id, name, due, period, remaining, expires} = reminder
  return {
    app,
    type,
    id,
    name,
    due: timeText(due - aheadMs),
    period,
    left: remaining ?? null,
    expires: expires === undefined ? null : timeText(expires - aheadMs)
  }
}

/** Lists the reminders of all actors, of a type, or of one actor, the next one first. */
export async function listReminders({reminders}: ActorFacts, query: URLSearchParams): Promise<Api.Reminders> {
  const kept = await reminders()
  const all = await kept.list(query.get('type') ?? undefined, query.get('id') ?? undefined)
  return {reminders: all.map(each => reminderView(each, kept.aheadMs))}
}

/** Returns a reminder with its data. Throws an ApiProblem. */
export async function oneReminder({reminders}: ActorFacts, query: URLSearchParams): Promise<Api.ReminderDetail> {
  const name = {type: query.get('type') ?? '', id: query.get('id') ?? '', name: query.get('name') ?? ''}
  const kept = await reminders()
  const found = await kept.get(name)
  if (found === undefined) throw noSuchReminder(name)
  return {
    ...reminderView(found, kept.aheadMs),
    dueTime: found.dueTime,
    ttl: found.ttl,
    data: found.data ?? null,
    failurePolicy: policyText(found.policy)
  }
}

/** Fires a reminder now, without a change of its count, or deletes it. Throws an ApiProblem. */
export async function changeReminder(
  {reminders}: ActorFacts,
  change: 'run' | 'delete',
  {body}: ApiRequest
): Promise<Api.ReminderChange> {
  const given = givenObject(body, '{"type": "Cart", "id": "17", "name": "expire"}')
  const name = {type: askedText(given, 'type'), id: askedText(given, 'id'), name: askedText(given, 'name')}
  const kept = await reminders()
  const found = await kept.get(name)
  if (found === undefined) throw noSuchReminder(name)
  const reminder = reminderView(found, kept.aheadMs)
  if (change === 'delete') {
    await kept.delete(name)
    return {reminder, outcome: null, answer: ''}
  }
  try {
    const answer = await kept.fire(name)
    if (answer === undefined) throw noSuchReminder(name)
    return {reminder, ...outcomeOf(answer)}
  } catch (error) {
    if (!(error instanceof ActorError)) throw error
    return {reminder, outcome: 'undeliverable', answer: error.message}
  }
}

function outcomeOf(answer: ActorAnswer): Pick<Api.ReminderChange, 'outcome' | 'answer'> {
  switch (answer.kind) {
    case 'done':
      return {outcome: answer.isError ? 'failed' : 'done', answer: answer.body.toString()}
    case 'failed':
      return {outcome: 'failed', answer: `${answer.status > 0 ? `(${answer.status}) ` : ''}${answer.text}`}
    case 'unknown':
      return {outcome: 'failed', answer: 'its app does not know it (404)'}
    case 'lost':
      return {outcome: 'undeliverable', answer: answer.why}
  }
}

const noSuchReminder = ({type, id, name}: FiringName): ApiProblem =>
  new ApiProblem(
    404,
    `there is no reminder '${type}/${id}/${name}'`,
    'pillion reminders list shows those that are there.'
  )
