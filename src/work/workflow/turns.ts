import {randomUUID} from 'node:crypto'
import type {Engine} from './engine.ts'
import {complete, dropOpenTasks, endChildren, fits, offerTurn, post, recursiveEndOf} from './inbox.ts'
import type {Instance} from './instance.ts'
import {readEvent, splitEvents} from './messages.ts'
import {forwardedHistory, startEventOf} from './start-event.ts'
import type {Rerun} from './rerun.ts'
import {CONTINUED_AS_NEW, RUNNING, STALLED, SUSPENDED} from './status.ts'
import {createChild, endTimers, schedule, setTimer, startLater, beginTrace} from './tasks.ts'
import type {InstanceMessage, Turn, TurnStart} from './turn.ts'
import {countBegun} from './work-counts.ts'
import {isSuspendedIn, type LiveInstance} from './work-items.ts'
import {spanOfEnd, spanOfTimer} from './work-spans.ts'

/* Applies the results of turns to instances. */

/** Number of rounds of a continue-as-new before a pause (durabletask-go: backend/orchestration.go). */
const MAX_ROUNDS = 20
/** Pause after that many rounds, in ms. */
const PAUSE_MS = 1000

/** Applies the result of a turn to its instance: history, state, tasks, messages and end. */
export function applyTurn(engine: Engine, live: LiveInstance, turn: Turn, start: TurnStart): void {
  const {instance} = live
  const {aheadMs} = start
  removeProcessed(engine, live, start.inbox)
  noteStart(engine, live, start)
  const wasStalled = instance.status === STALLED
  instance.updated = engine.clock.date()
  instance.status = turn.status
  // stays stalled if one of its activities is still too large for a worker
  if (wasStalled && (turn.end ?? turn.again) === undefined)
    for (const {app, bytes} of engine.store.activitySizes(instance.key)) fits(engine, instance, app, bytes)
  if (instance.status !== STALLED) instance.stall = undefined
  instance.customStatus = turn.customStatus
  if (turn.again !== undefined) beginAgain(engine, live, turn.again, turn.events)
  else {
    addTurn(engine, live, turn.events)
    instance.rounds = 0
    instance.version ??= turn.version
  }
  startTasks(engine, live, turn, aheadMs)
  const end = turn.children.length === 0 ? undefined : recursiveEndOf(live)
  if (end !== undefined) endChildren(engine, instance, readEvent(end.event).executionTerminated?.input?.value)
  for (const message of turn.messages) send(engine, instance, message)
  if (turn.end !== undefined) complete(engine, live, turn)
  engine.write(instance)
  offerTurn(engine, live)
  if (live.turn === undefined) engine.live.rest(live)
}

/** Removes the inbox entries that the worker has processed in this turn. */
function removeProcessed(engine: Engine, live: LiveInstance, inbox: TurnStart['inbox']): void {
  engine.store.take(inbox)
  const taken = new Set(inbox.map(({id}) => id))
  live.inbox = live.inbox.filter(({id}) => !taken.has(id))
  for (const {kind, event} of inbox) if (kind === 'timer') spanOfTimer(engine, live, event)
  endTimers(engine, live.instance.key, inbox)
}

function noteStart(engine: Engine, live: LiveInstance, {startedAt, sentAt, aheadMs, inbox}: TurnStart): void {
  const {instance} = live
  live.clock = startedAt
  if (instance.started !== undefined) return
  instance.started = startedAt - aheadMs
  if (instance.rounds === 0) countBegun(engine, instance, inbox, instance.started)
  live.began = sentAt
}

/** Sends an event or a termination to another instance, if the policies of its app allow it. */
function send(engine: Engine, instance: Instance, message: InstanceMessage): void {
  const {app, id, kind, name, event} = message
  const target = engine.store.find(app, id)
  if (target === undefined) return warnOfLost(engine, instance, message)
  const operation = kind === 'event' ? 'raise' : 'terminate'
  const access = {caller: instance.app, kind: 'workflows', operation, name: target.name} as const
  if (engine.mayAsk(app, access)) post(engine, target.key, {kind, name, event})
}

/** Warns of a message to an instance that this run does not have, once for each workflow and app. Messages do not reach other runs. */
function warnOfLost({options, warned, file}: Engine, {app: own, name, id}: Instance, message: InstanceMessage): void {
  const what = message.kind === 'event' ? `'${message.name}'` : 'its end'
  const why = options.hasApp(message.app) ? 'which does not exist' : 'which is not in this run'
  const target = `workflow '${message.id}' of app '${message.app}'`
  const text = `workflow '${name}' '${id}' has sent ${what} to ${target}, ${why}: it is lost`
  const kind = JSON.stringify([own, name, message.kind, message.app]) // without the event's name, which may contain an id
  file.afterCommit(() => {
    if (warned.has(kind)) return
    warned.add(kind)
    options.warn(own, text)
  })
}

function addTurn({store}: Engine, {instance, history}: LiveInstance, events: Turn['events']): void {
  history.push(store.addTurn(instance, events))
  instance.turns++
}

function startTasks(
  engine: Engine,
  live: LiveInstance,
  {activities, timers, children}: Pick<Turn, 'activities' | 'timers' | 'children'>,
  aheadMs = 0
): void {
  for (const activity of activities) schedule(engine, live, activity)
  for (const timer of timers) setTimer(engine, live.instance.key, timer, aheadMs)
  for (const child of children) createChild(engine, live, child, aheadMs)
}

/** Continues an instance as new: with an empty history, carried events, and inbox entries except results of its old tasks. */
function beginAgain(
  engine: Engine,
  live: LiveInstance,
  {input, carried}: NonNullable<Turn['again']>,
  last: Turn['events']
): void {
  const [{store}, {instance}] = [engine, live]
  const {key} = instance
  const now = engine.clock.date()
  dropOpenTasks(engine, instance)
  store.clearHistory(key)
  store.take(live.inbox)
  const later = live.inbox.filter(({kind}) => kind !== 'result' && kind !== 'timer')
  // a suspension is posted before events: otherwise each event would cause a round before it
  const suspension = later.filter(({kind}) => kind === 'suspend').slice(0, 1)
  live.inbox = []
  // each round has its own trace: one trace of an instance that always continues would never end
  spanOfEnd(engine, live, CONTINUED_AS_NEW)
  if (instance.trace !== undefined) instance.trace = beginTrace(engine, instance.app, undefined)
  instance.received = forwardedHistory(instance, [...live.history.flatMap(splitEvents), ...last])
  if (instance.received !== undefined) store.receive(key, instance.received)
  live.history.length = 0
  live.began = undefined
  const fresh = {turns: 0, started: undefined, version: undefined}
  Object.assign(instance, {...fresh, execution: randomUUID(), created: now, input, status: RUNNING})
  instance.rounds++
  const start = startEventOf(store, now, instance)
  const isPaused = instance.rounds % MAX_ROUNDS === 0
  if (isPaused) startLater(engine, instance, now + PAUSE_MS, start)
  const first = [...(isPaused ? [] : [{kind: 'start' as const, name: '', event: start}]), ...suspension]
  const inbox = [...first, ...carried, ...later.filter(each => !suspension.includes(each))]
  for (const entry of inbox) post(engine, key, {kind: 'event', ...entry})
}

/** Begins a rerun: creates an instance with a part of the ended instance's history, which continues from there. */
export function beginRerun(
  engine: Engine,
  {app, name, version, input, received}: Instance,
  id: string,
  rerun: Rerun
): Instance {
  const now = engine.clock.date()
  const trace = beginTrace(engine, app, undefined)
  const fresh = {app, id, execution: randomUUID(), name, created: now, input, parent: undefined, trace, received}
  const live = engine.live.begin(engine.store.insert(fresh))
  const {instance} = live
  for (const events of rerun.turns) addTurn(engine, live, events)
  Object.assign(instance, {status: isSuspendedIn(live.history) ? SUSPENDED : RUNNING, started: now, version})
  engine.write(instance)
  // skipped timers may have advanced the workflow's own clock, from which its timers count
  startTasks(engine, live, rerun, Math.max(0, live.clock - now))
  if (live.turn === undefined) engine.live.rest(live)
  return instance
}
