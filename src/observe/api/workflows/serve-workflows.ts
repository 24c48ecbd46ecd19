// observe/api/workflows/ shows and changes the workflows of a run. Loaded by the first request about one.
import type * as Api from '../../../model/api.generated.ts'
import {stallsOf} from '../../../work/workflow/failure.ts'
import {readEvent} from '../../../work/workflow/messages.ts'
import type {Workflows} from '../../../work/workflow/workflows.ts'
import type {Instance} from '../../../work/workflow/instance.ts'
import type {ApiRequest} from '../route.ts'
import {findInstance} from './find-instances.ts'
import {historyView} from './history-view.ts'
import {instanceDetail, timeText, instanceView} from './instance-view.ts'
import type {AppPlan} from '../../../model/plan.ts'
import {givenObject} from '../problem.ts'
import {askedText, askedWhole, asProblem} from './requests.ts'
import {isTerminal} from '../../../work/workflow/status.ts'
import {timelineOf, type Step} from '../../../work/workflow/timeline.ts'
import {activitySpanId} from '../../../work/workflow/work-spans.ts'
import {REMINDER, type Reminder} from '../../../work/actor/reminder-store.ts'
import type {Job} from '../../../work/job/job.ts'
import {JOB} from '../../../work/job/jobs.ts'
import {MAX_SKIP_MS} from '../../../work/skip.ts'
import type {WakeUp} from '../../../work/wake-ups.ts'
import {TIMER} from '../../../work/workflow/workflow-store.ts'
import {UserError} from '../../../model/errors.ts'
import {readdir, readFile, stat} from 'node:fs/promises'
import {join} from 'node:path'

export {listInstances} from './find-instances.ts'
export {changeInstance, purgeInstances, startInstance} from './change-instances.ts'

/** Returns the instance that a query names. Throws an ApiProblem. */
const asked = (workflows: Workflows, {query}: ApiRequest): Instance =>
  findInstance(workflows, {id: query.get('id') ?? '', app: query.get('app') ?? ''})

export const oneInstance = (workflows: Workflows, request: ApiRequest): Api.WorkflowDetail =>
  instanceDetail(workflows, asked(workflows, request))

/** Returns the steps of an instance. `plans`: those of the apps of the run, whose code may name events. */
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

/** Returns the steps of an instance, and which workers it lacks. */
function timelineView(workflows: Workflows, instance: Instance): Omit<Api.WorkflowTimeline, 'events'> {
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

/** Skips time, and returns the work that fell due in it. Throws a UserError. */
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

/** Maximum number of instances of the same workflow that are searched. */
const MAX_INSTANCES = 30
const MAX_FILES = 400
/** Maximum number of folders that are searched: an app may run in the user's home folder. */
const MAX_FOLDERS = 1000
const MAX_BYTES = 256 * 1024
/** Time in ms for which the names found in an app's code are cached. */
const KEPT_MS = 10_000

const CODE = /\.(?:[cm]?[jt]sx?|py|go|java|kt|cs)$/
const NOT_OWN = new Set(['node_modules', 'dist', 'build', 'target', 'bin', 'obj', 'venv', '__pycache__'])
/** How Dapr's SDKs wait for an event: `waitForExternalEvent('approve')`, `wait_for_external_event("approve")`, `WaitForExternalEventAsync<bool>("approve")`. */
const WAITS =
  /wait_?for_?(?:external_?|single_?)?event(?:async)?\s*(?:<[^()]*>)?\(\s*(?:name\s*=\s*)?["'`]([\w .:/-]+)["'`]/gi

/**
 * Returns names of events that an instance may wait for: names that other instances received, and names in its app's code. With some
 * SDKs the history lacks them. `folder`: of the app. Undefined if it is not of the run.
 */
export async function possibleEvents(
  workflows: Workflows,
  instance: Instance,
  folder: string | undefined
): Promise<readonly string[]> {
  const others = workflows.search({app: instance.app, name: instance.name}, MAX_INSTANCES)
  const got = others
    .filter(({name}) => name === instance.name)
    .flatMap(other => timelineOf(workflows.events(other), other.app))
    .flatMap(({kind, name}) => (kind === 'event' ? [name] : []))
  return [...new Set([...got, ...(folder === undefined ? [] : await namesInCode(folder))])].filter(name => name !== '')
}

const known = new Map<string, {readonly at: number; readonly names: Promise<readonly string[]>}>()

async function namesInCode(folder: string): Promise<readonly string[]> {
  const before = known.get(folder)
  if (before !== undefined && performance.now() - before.at < KEPT_MS) return before.names
  const names = readNames(folder)
  known.set(folder, {at: performance.now(), names})
  return names
}

/** Reads the names of events in a folder's code; none if it cannot be read. */
async function readNames(folder: string): Promise<readonly string[]> {
  const found = new Set<string>()
  const folders = [folder]
  let files = 0
  // reads folders near the top first
  for (const [looked, at] of folders.entries()) {
    if (files >= MAX_FILES || looked === MAX_FOLDERS) break
    const entries = await readdir(at, {withFileTypes: true}).catch(() => [])
    for (const entry of entries) {
      const path = join(at, entry.name)
      if (entry.isDirectory() && !entry.name.startsWith('.') && !NOT_OWN.has(entry.name)) folders.push(path)
      if (!entry.isFile() || !CODE.test(entry.name) || files++ >= MAX_FILES) continue
      const {size} = await stat(path).catch(() => ({size: Infinity}))
      const text = size > MAX_BYTES ? '' : await readFile(path, 'utf8').catch(() => '')
      for (const [, name = ''] of text.matchAll(WAITS)) found.add(name)
    }
  }
  return [...found]
}
