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

/* Results of turns, applied to instances. */

/** An instance may continue as new this often without a pause (durabletask-go: backend/orchestration.go) … */
const MAX_ROUNDS = 20
/** … and then pauses for this time, in ms. */
const PAUSE_MS = 1000

export function applyTurn(engine: Engine, live: LiveInstance, turn: Turn, start: TurnStart): void {
  const {instance} = live
  const {aheadMs} = start
  takeMessages(engine, live, start.inbox)
  noteStart(engine, live, start)
  const wasStalled = instance.status === STALLED
  instance.updated = engine.clock.date()
  instance.status = turn.status
  // an activity may still be too large, despite the new entries
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
  ask(engine, live, turn, aheadMs)
  const end = turn.children.length === 0 ? undefined : recursiveEndOf(live)
  if (end !== undefined) endChildren(engine, instance, readEvent(end.event).executionTerminated?.input?.value)
  for (const message of turn.messages) send(engine, instance, message)
  if (turn.end !== undefined) complete(engine, live, turn)
  engine.write(instance)
  offerTurn(engine, live)
  if (live.turn === undefined) engine.live.rest(live)
}

/** Removes the messages that the worker has had in this turn. */
function takeMessages(engine: Engine, live: LiveInstance, inbox: TurnStart['inbox']): void {
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

/** Sends an event, or an end, to another instance, as far as the policies of its app allow. */
function send(engine: Engine, instance: Instance, message: InstanceMessage): void {
  const {app, id, kind, name, event} = message
  const target = engine.store.find(app, id)
  if (target === undefined) return warnOfLost(engine, instance, message)
  const operation = kind === 'event' ? 'raise' : 'terminate'
  const access = {caller: instance.app, kind: 'workflows', operation, name: target.name} as const
  if (engine.mayAsk(app, access)) post(engine, target.key, {kind, name, event})
}

/** Warns of an event to an instance that this run does not have, once for each workflow and app. Events do not travel between runs. */
function warnOfLost({options, warned, file}: Engine, {app: own, name, id}: Instance, message: InstanceMessage): void {
  const what = message.kind === 'event' ? `'${message.name}'` : 'its end'
  const why = options.hasApp(message.app) ? 'which does not exist' : 'which is not in this run'
  const target = `workflow '${message.id}' of app '${message.app}'`
  const text = `workflow '${name}' '${id}' has sent ${what} to ${target}, ${why}: it is lost`
  const kind = JSON.stringify([own, name, message.kind, message.app]) // names of events may hold ids
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

function ask(
  engine: Engine,
  live: LiveInstance,
  {activities, timers, children}: Pick<Turn, 'activities' | 'timers' | 'children'>,
  aheadMs = 0
): void {
  for (const activity of activities) schedule(engine, live, activity)
  for (const timer of timers) setTimer(engine, live.instance.key, timer, aheadMs)
  for (const child of children) createChild(engine, live, child, aheadMs)
}

/** Continues an instance as new: with a new history, and with entries that arrived meanwhile, except results for the old history. */
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
  // first: otherwise each remaining event would cause a round
  const suspension = later.filter(({kind}) => kind === 'suspend').slice(0, 1)
  live.inbox = []
  // each round has its own trace: the trace of an instance that continues forever would have no end
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

/** Begins a rerun: a copy of an ended instance's history, which continues from there. */
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
  // counts the delay of a timer from the workflow's own time, which a skip may have moved
  ask(engine, live, rerun, Math.max(0, live.clock - now))
  if (live.turn === undefined) engine.live.rest(live)
  return instance
}
