import {randomUUID} from 'node:crypto'
import type * as Api from '../../../model/api.generated.ts'
import {UserError} from '../../../model/errors.ts'
import {aborted} from '../../../platform/delay.ts'
import type {Instance} from '../../../work/workflow/instance.ts'
import {textOf, type Event} from '../../../work/workflow/messages.ts'
import {isTerminal, PENDING, RUNNING, spokenStatus, STALLED, SUSPENDED} from '../../../work/workflow/status.ts'
import {stalledInstance, WorkflowError} from '../../../work/workflow/workflow-error.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'
import {ApiProblem, givenObject} from '../problem.ts'
import type {ApiRequest} from '../route.ts'
import type {RunFacts} from '../run-facts.ts'
import {findInstance, startingApp, statusIn} from './find-instances.ts'
import {instanceView} from './instance-view.ts'
import {askedText, askedWhole, asProblem, givenPayload, givenTime} from './requests.ts'

/** Number of instances that one search returns. */
const PURGE_ROWS = 1000
/** Number of instances that are removed in one transaction: other work runs in between. */
const PURGE_AT_ONCE = 100

/** Starts a workflow. Throws a UserError. */
export async function startInstance(
  facts: RunFacts,
  workflows: Workflows,
  {body, gone}: ApiRequest
): Promise<Api.Workflow> {
  const given = givenObject(body, '{"app": "shop", "name": "order", "input": {"item": "pen"}}')
  const name = askedText(given, 'name')
  if (name === '') throw new UserError('the workflow has no name', {explanation: 'For example: {"name": "order"}'})
  const app = await startingApp(facts, workflows, askedText(given, 'app'))
  gone.throwIfAborted() // a client that has disconnected starts nothing
  const startAt = givenTime('startAt', given['startAt'])
  const id = askedText(given, 'id') || randomUUID()
  const instance = await asProblem(async () =>
    workflows.start(app, {id, name, input: givenPayload(given['input']), startAt})
  )
  workflows.byPerson.add(instance.key)
  const isAwaited = startAt === undefined && workflows.connected(app) > 0
  const started = isAwaited ? await until(workflows, instance, gone, ({status}) => status !== PENDING) : instance
  return instanceView(workflows, started)
}

type Command = 'suspend' | 'resume' | 'terminate' | 'raise'

/** The event that each action sends to an instance, and the status that it then has. */
const ACTIONS: Readonly<
  Record<Command, (given: Readonly<Record<string, unknown>>) => {readonly event: Event; readonly wanted?: number}>
> = {
  suspend: given => ({event: {executionSuspended: {input: textOf(askedText(given, 'reason'))}}, wanted: SUSPENDED}),
  resume: given => ({event: {executionResumed: {input: textOf(askedText(given, 'reason'))}}, wanted: RUNNING}),
  // terminates its children, too, as Dapr's API does
  terminate: given => ({event: {executionTerminated: {input: textOf(givenPayload(given['output'])), recurse: true}}}),
  raise: given => {
    const name = askedText(given, 'event')
    if (name === '')
      throw new UserError('the event has no name', {explanation: 'For example: {"id": "o-17", "event": "approved"}'})
    return {event: {eventRaised: {name, input: textOf(givenPayload(given['data']))}}}
  }
}

/** Applies a command to an instance. Throws a UserError. */
export async function changeInstance(workflows: Workflows, {at, body, gone}: ApiRequest): Promise<Api.Workflow> {
  const given = givenObject(body, '{"id": "o-17"}')
  const instance = findInstance(workflows, {id: askedText(given, 'id'), app: askedText(given, 'app')})
  const action = at['action'] as Command | 'rerun' | 'skip'
  if (action === 'rerun') return instanceView(workflows, await rerunInstance(workflows, instance, given))
  if (action === 'skip') await asProblem(async () => workflows.skipTimer(instance, askedWhole(given, 'timer')))
  const changed = action === 'skip' ? instance : await tellInstance(workflows, instance, {action, given, gone})
  return instanceView(workflows, changed)
}

/** Reruns a finished instance from a step, by default from the first. */
async function rerunInstance(
  workflows: Workflows,
  {app, id}: Instance,
  given: Readonly<Record<string, unknown>>
): Promise<Instance> {
  const eventId = askedWhole(given, 'eventId')
  const newId = askedText(given, 'newId') || randomUUID()
  const input = given['input'] === undefined ? undefined : {text: givenPayload(given['input'])}
  const rerun = {id, eventId, newId, input, newChildId: undefined}
  const instance = await asProblem(async () => workflows.rerun(app, rerun))
  workflows.byPerson.add(instance.key)
  return instance
}

interface Telling {
  readonly action: Command
  readonly given: Readonly<Record<string, unknown>>
  readonly gone: AbortSignal
}

async function tellInstance(
  workflows: Workflows,
  {app, id}: Instance,
  {action, given, gone}: Telling
): Promise<Instance> {
  const {event, wanted} = ACTIONS[action](given)
  const kind = action === 'raise' ? 'event' : action
  const before = workflows.find(app, id)
  if (before !== undefined && isTerminal(before.status) && action !== 'terminate')
    throw new ApiProblem(409, `workflow '${id}' is over: ${spokenStatus(before.status)}`)
  const instance = await asProblem(async () => workflows.tell(app, id, kind, event))
  if (action === 'raise' || workflows.connected(app) === 0) return instance
  const heard = await until(workflows, instance, gone, now => workflows.hasHeard(now, wanted))
  if (heard.status !== STALLED || workflows.hasHeard(heard, undefined)) return heard
  throw new ApiProblem(409, stalledInstance(id).message)
}

/** Removes instances. Throws a UserError. */
export async function purgeInstances(workflows: Workflows, {body}: ApiRequest): Promise<Api.WorkflowsPurged> {
  const given = givenObject(body, '{"ids": ["o-17"]}')
  const isForced = given['force'] === true
  const meant = given['all'] === true ? purgeable(workflows, given, isForced) : named(workflows, given)
  const purged: Api.WorkflowParent[] = []
  const kept: string[] = []
  let count = 0
  const remove = async ({app, id}: Instance): Promise<void> => {
    // removed together with its parent
    if (workflows.find(app, id) === undefined) return
    try {
      const removed = await workflows.purge(app, id, {isRecursive: true, isForced})
      count += removed
      purged.push({app, id})
    } catch (error) {
      if (!(error instanceof WorkflowError)) throw error
      // the instance may have been removed together with its parent
      if (workflows.find(app, id) !== undefined) kept.push(`workflow '${id}' is not removed: ${error.message}`)
    }
  }
  for (let at = 0; at < meant.length; at += PURGE_AT_ONCE)
    await Promise.all(meant.slice(at, at + PURGE_AT_ONCE).map(remove))
  const [first = '', ...more] = kept
  if (first === '') return {purged, count}
  const others = more.length === 0 ? '' : `, and ${more.length} more are not`
  throw new ApiProblem(409, first + others, purged.length === 0 ? '' : `Workflows removed: ${purged.length}.`)
}

function named(workflows: Workflows, given: Readonly<Record<string, unknown>>): readonly Instance[] {
  const {ids} = given
  if (!Array.isArray(ids) || ids.length === 0 || !ids.every(id => typeof id === 'string'))
    throw new UserError('no workflows are named', {explanation: 'Give ids, or all: {"ids": ["o-17"]}'})
  return ids.map((id: string) => findInstance(workflows, {id, app: askedText(given, 'app')}))
}

/** Returns the instances that have ended; with `isForced` all. */
function purgeable(
  workflows: Workflows,
  given: Readonly<Record<string, unknown>>,
  isForced: boolean
): readonly Instance[] {
  const status = askedText(given, 'status')
  const wanted = {
    app: askedText(given, 'app') || undefined,
    createdBefore: givenTime('until', given['until']),
    statuses: status === '' ? undefined : [statusIn(status)]
  }
  const all: Instance[] = []
  for (;;) {
    const page = workflows.search({...wanted, before: all.at(-1)?.key}, PURGE_ROWS)
    all.push(...page)
    if (page.length < PURGE_ROWS) return isForced ? all : all.filter(each => isTerminal(each.status))
  }
}

/** Waits for a state as long as the client stays connected. Returns the instance, also right before its removal. */
async function until(
  workflows: Workflows,
  instance: Instance,
  gone: AbortSignal,
  isMet: (instance: Instance) => boolean
): Promise<Instance> {
  const left = aborted(gone).then(() => undefined)
  const onGone = (listener: () => void): void => void left.then(listener)
  return (await Promise.race([workflows.until(instance, isMet, onGone), left])) ?? instance
}
