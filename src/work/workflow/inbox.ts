/*
 * Messages to instances: `post` adds one to the inbox of an instance, `offerTurn` queues a turn for a worker, which processes the inbox. An
 * instance that its worker cannot continue stalls. `terminate` and `complete` end an instance, and send its result to its parent.
 */
import {keep} from '../keep.ts'
import type {Engine} from './engine.ts'
import {nameOf, type Instance, type InboxEntry, type Parent} from './instance.ts'
import {stallsOf} from './failure.ts'
import {eventOf, joinEvents, readEvent, textOf, type Event, NO_BYTES} from './messages.ts'
import {startEventOf} from './start-event.ts'
import {COMPLETED, FAILED, isTerminal, STALLED, TERMINATED} from './status.ts'
import {isSuspendedAfter, type Turn} from './turn.ts'
import type {Stall} from './versions.ts'
import {countEnded, countSize} from './work-counts.ts'
import {TurnItem, type LiveInstance} from './work-items.ts'
import {spanOfEnd} from './work-spans.ts'
import {START, TIMER, type OpenActivity} from './workflow-store.ts'
import {ownOf} from '../../model/own.ts'

/** Maximum size of a payload as a part of the largest message that a worker accepts (Dapr: orchestrator/payloadsize.go). */
const MAX_SHARE = 0.95
/** The reason of a stall in durabletask's protocol. */
const PAYLOAD_SIZE_EXCEEDED = 2

/** Number of workflows of an app that wait for a worker above which a warning is logged. */
const MUCH = 10_000
/** Size of these workflows above which a warning is logged. */
const MUCH_BYTES = 64 << 20

/** The kind of the wake-ups that remove an instance at the end of its retention. */
export const RETENTION = 'workflow-retention'

/** The key of the retention policy for each final status (Dapr: pkg/actors/targets/workflow/orchestrator/run.go, handleRetention). */
const ENDS: Readonly<Record<number, 'completed' | 'failed' | 'terminated'>> = {
  [COMPLETED]: 'completed',
  [FAILED]: 'failed',
  [TERMINATED]: 'terminated'
}

/** Explains why workers do not accept a message of this size; undefined: they do. `max`: `maxBodySize` of their app. */
function payloadTooLarge(bytes: number, max: number): string | undefined {
  if (bytes <= max * MAX_SHARE) return undefined
  return `Workflow payload size ${bytes} bytes exceeds 95% of max gRPC body size ${max} bytes; increase daprd --max-body-size and restart to resume`
}

/** Adds an entry to the inbox of an instance, unless the instance has ended. */
export function post(engine: Engine, key: number, entry: Omit<InboxEntry, 'id'>): void {
  const live = engine.live.at(key)
  if (live === undefined || isTerminal(live.instance.status)) return
  if (entry.kind === 'terminate' && needsNoWorker(engine, live)) return terminate(engine, live, entry)
  // ignores a repeated suspension or resumption: after one, JavaScript's SDK 3.18 never ends the instance, and Python's 1.19 fails it
  if (/suspend|resume/.test(entry.kind) && (entry.kind === 'suspend') === isSuspendedAfter(live)) return
  live.inbox.push({...entry, id: engine.store.post(key, entry)})
  offerTurn(engine, live)
}

/** Whether an instance can end without its worker: it has not begun, is stalled, or has neither an app nor a worker. */
const needsNoWorker = (engine: Engine, {mayStart, turn, instance: {app, status, turns}}: LiveInstance): boolean =>
  !mayStart ||
  status === STALLED ||
  (turns === 0 && (turn === undefined || !engine.workersOf(app).isInHand(turn))) ||
  (!engine.options.hasApp(app) && engine.workersOf(app).count() === 0)

/** The inbox entry of a recursive termination; undefined: none. */
export const recursiveEndOf = ({inbox}: LiveInstance): InboxEntry | undefined =>
  inbox.find(({kind, name}) => kind === 'terminate' && name === 'recursive')

const endOf = ({inbox}: LiveInstance): InboxEntry | undefined => inbox.find(({kind}) => kind === 'terminate')

/** Queues a turn of an instance for a worker, if its inbox has entries and it may continue. `isRead`: its start need not stay in the file. */
export function offerTurn(engine: Engine, live: LiveInstance, isRead = false): void {
  const {instance, turn} = live
  if (live.inbox.length === 0 || !live.mayStart) return
  if (engine.held.has(instance.key) || engine.replays.has(nameOf(instance))) return
  const workers = engine.workersOf(instance.app)
  if (turn !== undefined && workers.isInHand(turn)) return
  if (!fits(engine, instance, instance.app, live.turnBytes)) return refuseLargeTurn(engine, live)
  if (turn !== undefined || (!isRead && staysInFile(engine, live))) return
  live.turn = new TurnItem(live, engine)
  engine.live.use(live)
  workers.add(live.turn)
}

/** Drops a turn that is too large for a worker: the instance is stalled. Ends the instance if a termination is in its inbox. */
function refuseLargeTurn(engine: Engine, live: LiveInstance): void {
  const {app, name} = live.instance
  countSize(engine, app, live.turnBytes, name)
  const end = engine.file.isInChange ? endOf(live) : undefined
  if (end === undefined) engine.dropTurn(live)
  else terminate(engine, live, end)
}

/** Whether a start stays in the file, and out of memory, since workers will not accept it soon. Notes it for them. */
function staysInFile(engine: Engine, live: LiveInstance): boolean {
  const {leftWork, behind} = engine
  const {app, turns} = live.instance
  const latest = live.inbox.at(-1)
  if (turns > 0 || latest === undefined) return false
  if (leftWork.of(app) === undefined && engine.workersOf(app).hasRoom) return false
  leftWork.add(app, latest.id, live.turnBytes)
  engine.live.rest(live)
  const {left = 0, bytes = 0} = leftWork.of(app) ?? {}
  if ((left > MUCH || bytes > MUCH_BYTES) && !behind.has(app)) {
    behind.add(app)
    engine.options.onMuchWaiting(app, left, bytes)
  }
  return true
}

/** Whether a worker accepts a message of this size; otherwise stalls the instance. `isNew`: the message starts an activity. */
export function fits(engine: Engine, instance: Instance, app: string, bytes: number, isNew = false): boolean {
  const description = payloadTooLarge(bytes, engine.options.maxBytes(app))
  if (description === undefined) return true
  engine.large.add(app)
  // the object in memory: its next turn would overwrite the stall of a copy
  const known = engine.live.at(instance.key)?.instance ?? instance
  const isOver = isTerminal(known.status)
  if (isOver && isNew) engine.options.warn(known.app, `activity of ${known.name} '${known.id}': ${description}`)
  if (!isOver && known.status !== STALLED) stall(engine, known, {reason: PAYLOAD_SIZE_EXCEEDED, description})
  return false
}

/** Stalls an instance that its worker cannot continue, until another worker connects. Ends it if a termination is in its inbox. */
export function holdStalled(engine: Engine, live: LiveInstance, why: Stall): void {
  const end = endOf(live)
  engine.live.rest(live)
  if (end !== undefined) return terminate(engine, live, end)
  engine.held.set(live.instance.key, live.instance.app)
  stall(engine, live.instance, why)
}

/** Gives stalled instances of an app their turns again: a worker has connected, which may have other code. */
export function retryHeld(engine: Engine, app: string): void {
  for (const [key, of] of engine.held) {
    if (of !== app) continue
    engine.held.delete(key)
    const live = engine.live.at(key)
    if (live !== undefined) offerTurn(engine, live, true)
  }
}

function stall(engine: Engine, instance: Instance, {reason, description}: Stall): void {
  const stalls = stallsOf(instance)
  const [known] = stalls.slice(-1).map(each => readEvent(each).executionStalled)
  instance.status = STALLED
  if (known?.reason === reason && known.description === description) return
  const event = eventOf(engine.clock.date(), {executionStalled: {reason, description}})
  instance.stall = joinEvents([...stalls, event])
  // outside of a change only at the start of a run, which reads the inbox
  if (engine.file.isInChange) engine.write(instance)
  else keep(engine, () => engine.write(instance)).catch(() => undefined)
  engine.options.warn(instance.app, `workflow '${instance.name}' '${instance.id}' is stalled: ${description}`)
}

/** Cancels the open activities and timers of an instance. */
export function dropOpenTasks(engine: Engine, {key}: Instance): void {
  for (const item of engine.activities.ofInstance(key)) engine.drop(item)
  engine.store.endActivities(key)
  engine.wakeUps.removeOf(TIMER, key)
}

/** Terminates an instance without asking a worker: it has not begun, or cannot continue. */
function terminate(engine: Engine, live: LiveInstance, {event}: Omit<InboxEntry, 'id'>): void {
  const {store, clock, wakeUps} = engine
  const {instance} = live
  engine.dropTurn(live)
  wakeUps.removeOf(START, instance.key)
  dropOpenTasks(engine, instance)
  engine.held.delete(instance.key)
  const {input: result, recurse = false} = readEvent(event).executionTerminated ?? {}
  const now = clock.date()
  const turn = eventOf(now, {workflowStarted: {version: undefined}})
  const begun = instance.turns === 0 ? [turn, startEventOf(store, now, instance)] : [turn]
  const ended = eventOf(now, {executionCompleted: {status: TERMINATED, result, failureDetails: NO_BYTES}})
  live.history.push(store.addTurn(instance, [...begun, event, ended]))
  Object.assign(instance, {status: TERMINATED, updated: now, stall: undefined, output: result?.value})
  instance.turns++
  engine.write(instance) // before its children end: their messages may drop it from memory
  settle(engine, live, recurse)
}

/** Ends an instance with the result of its last turn, which is in its history already. The caller stores the instance. */
export function complete(engine: Engine, live: LiveInstance, {end, endsChildren}: Turn): void {
  live.instance.output = end?.result
  live.instance.failure = end?.failure
  engine.dropTurn(live)
  engine.wakeUps.removeOf(TIMER, live.instance.key)
  settle(engine, live, endsChildren)
}

/** Does what follows an end: terminates the children if asked, sends the result to the parent, and plans the removal. */
function settle(engine: Engine, live: LiveInstance, endsChildren: boolean): void {
  const {instance} = live
  // a recursive termination may have arrived while a worker had the last turn
  if (endsChildren || recursiveEndOf(live) !== undefined) endChildren(engine, instance, instance.output)
  engine.store.take(live.inbox)
  live.inbox = []
  if (instance.parent !== undefined) postToParent(engine, instance, instance.parent)
  planRemoval(engine, instance)
  countEnded(engine, instance)
  spanOfEnd(engine, live)
}

/** Plans the removal of an ended instance by the current retention policy of its app, if any. */
function planRemoval(engine: Engine, {app, key, status}: Instance): void {
  const {retention} = engine.options.settings(app)
  const ms = retention[ownOf(ENDS, status) ?? 'anyTerminal'] ?? retention.anyTerminal
  if (ms === undefined) return
  const due = engine.clock.date() + ms
  engine.wakeUps.add(RETENTION, {due, owner: key, name: '', data: NO_BYTES})
}

/** Terminates all descendants of an instance in one change: a child that runs on could start others meanwhile. */
export function endChildren(engine: Engine, instance: Instance, output: string | undefined): void {
  const {store, clock} = engine
  const executionTerminated = {input: textOf(output), recurse: true}
  const parents = [instance]
  for (const parent of parents)
    for (const {key, app, name} of store.children(parent)) {
      const child = engine.live.at(key)
      if (child === undefined || isTerminal(child.instance.status) || recursiveEndOf(child) !== undefined) continue
      const access = {caller: parent.app, kind: 'workflows', operation: 'terminate', name} as const
      if (app !== parent.app && !engine.mayAsk(app, access)) continue
      post(engine, key, {kind: 'terminate', name: 'recursive', event: eventOf(clock.date(), {executionTerminated})})
      parents.push(child.instance)
    }
}

function postToParent(engine: Engine, instance: Instance, {app, id, execution, task}: Parent): void {
  const parent = engine.store.find(app, id)
  if (parent?.execution !== execution) return
  const {status, output, failure = NO_BYTES} = instance
  postResult(
    engine,
    {instance: parent.key, task, taskExecution: '', isChild: true},
    {
      result: textOf(output),
      failure: status === COMPLETED ? undefined : failure,
      router: {sourceAppID: instance.app, targetAppID: app}
    }
  )
}

/** Result of a task. `failure`: TaskFailureDetails; undefined after a success. */
interface Outcome {
  readonly result?: ReturnType<typeof textOf>
  readonly failure: Uint8Array | undefined
  readonly router?: Event['router'] | undefined
}

/** Posts the result of a task to its instance. */
export function postResult(
  engine: Engine,
  {
    instance,
    task: taskScheduledId,
    taskExecution: taskExecutionId,
    isChild = false
  }: Omit<OpenActivity, 'app' | 'request'> & {readonly isChild?: boolean},
  {result, failure: failureDetails, router}: Outcome
): void {
  const done = {taskScheduledId, taskExecutionId, result}
  const failed = failureDetails && {taskScheduledId, taskExecutionId, failureDetails}
  const ofTask: Event = failed === undefined ? {taskCompleted: done} : {taskFailed: failed}
  const ofChild: Event = failed === undefined ? {childCompleted: done} : {childFailed: failed}
  const event = {...(isChild ? ofChild : ofTask), ...(router && {router})}
  post(engine, instance, {kind: 'result', name: '', event: eventOf(engine.clock.date(), event)})
}
