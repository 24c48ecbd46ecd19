import t from 'tap'
import type {InboxEntry} from '../../../../src/work/workflow/instance.ts'
import {eventOf, readEvent, timeOf, type Action, type TurnAnswer} from '../../../../src/work/workflow/messages.ts'
import {applyAnswer, type Turn, type TurnStart} from '../../../../src/work/workflow/turn.ts'

const NOTHING = new Uint8Array(0)
const AT = 1_000_500

const entry = (kind: InboxEntry['kind'], event: Parameters<typeof eventOf>[1], name = ''): InboxEntry => ({
  id: 1,
  kind,
  name,
  event: eventOf(AT, event)
})

const STARTED = entry('start', {
  executionStarted: {
    name: 'order',
    version: undefined,
    input: {value: '1'},
    workflowInstance: undefined,
    parentInstance: undefined,
    scheduledStart: undefined,
    parentTraceContext: undefined,
    workflowSpanId: undefined
  }
})

const start = (more: Partial<TurnStart> = {}): TurnStart => ({
  app: 'shop',
  id: 'o-1',
  trace: undefined,
  isSuspended: false,
  startedAt: AT,
  sentAt: 0,
  aheadMs: 0,
  inbox: [STARTED],
  ...more
})

const apply = (
  actions: readonly Partial<Action>[],
  more: Partial<TurnStart> = {},
  rest: Partial<TurnAnswer> = {}
): Turn =>
  applyAnswer(
    start(more),
    {actions: actions as TurnAnswer['actions'], customStatus: undefined, version: undefined, ...rest},
    AT + 20
  )

/** The kinds of the events of a turn, with their ids where they have one. */
const kinds = ({events}: Turn): readonly string[] =>
  events.map(bytes => {
    const {eventId, timestamp: _, router: __, ...event} = readEvent(bytes)
    const kind = Object.entries(event).find(([, value]) => value !== undefined)?.[0] ?? '?'
    return eventId < 0 ? kind : `${kind} ${eventId}`
  })

const task = (name: string): NonNullable<Action['scheduleTask']> => ({
  name,
  version: undefined,
  scope: undefined,
  input: {value: '"x"'},
  taskExecutionId: 'e-1'
})

const complete = (status: number, more: Partial<NonNullable<Action['complete']>> = {}): Partial<Action> => ({
  id: 9,
  complete: {status, result: {value: '"done"'}, carryoverEvents: [], failureDetails: NOTHING, ...more}
})

const child = (instanceId: string): NonNullable<Action['createChild']> => ({
  instanceId,
  name: 'pack',
  version: undefined,
  scope: undefined,
  input: undefined,
  retryOf: undefined
})

const terminated = (name: string): InboxEntry =>
  entry('terminate', {executionTerminated: {input: undefined, recurse: name !== ''}}, name)

t.test('a turn is in the history as: its begin, what had come, what the worker wants', async t => {
  const turn = apply([
    {id: 0, scheduleTask: task('reserve')},
    {id: 1, scheduleTask: task('charge'), router: {sourceAppID: '', targetAppID: 'bank'}}
  ])
  t.strictSame(kinds(turn), ['workflowStarted', 'executionStarted', 'taskScheduled 0', 'taskScheduled 1'])
  t.match(turn, {status: 0, end: undefined, again: undefined})
  t.match(turn.activities, [
    {task: 0, app: 'shop', scheduled: {name: 'reserve'}},
    {task: 1, app: 'bank', scheduled: {name: 'charge'}}
  ])
  t.match(readEvent(turn.events[0] ?? NOTHING).timestamp, timeOf(AT), 'the clock of the workflow')
  t.match(readEvent(turn.events[3] ?? NOTHING), {
    timestamp: timeOf(AT + 20),
    router: {sourceAppID: 'shop', targetAppID: 'bank'}
  })
})

t.test('a timer keeps its time, and the event that it is for', async t => {
  const fireAt = {seconds: 2000n, nanos: 1}
  const {timers} = apply([
    {
      id: 3,
      createTimer: {
        fireAt,
        name: '',
        createTimer: undefined,
        externalEvent: {value: 'Approve'},
        activityRetry: undefined,
        childWorkflowRetry: undefined
      }
    }
  ])
  t.strictSame(timers, [{id: 3, fireAt, event: 'Approve'}])
})

const timer = (id: number, origin: Partial<NonNullable<Action['createTimer']>>): Partial<Action> => ({
  id,
  createTimer: {
    fireAt: {seconds: 2000n, nanos: 1},
    name: 'remind',
    createTimer: undefined,
    externalEvent: undefined,
    activityRetry: undefined,
    childWorkflowRetry: undefined,
    ...origin
  }
})

t.test('the name of a timer is that of an event only where nothing says what the timer was made for', async t => {
  const {timers} = apply([
    timer(1, {}),
    timer(2, {createTimer: {}}),
    timer(3, {activityRetry: {value: 'x'}}),
    timer(4, {childWorkflowRetry: {value: 'x'}}),
    timer(5, {externalEvent: {value: 'Approve'}})
  ])
  t.strictSame(
    timers.map(({event}) => event),
    ['remind', '', '', '', 'Approve']
  )
})

t.test('the first completion of an answer counts', async t => {
  const other = {result: {value: '"other"'}}
  const over = apply([complete(1), complete(3, other), complete(2, other)])
  t.strictSame(
    kinds(over).filter(kind => kind.startsWith('executionCompleted')),
    ['executionCompleted 9']
  )
  t.strictSame([over.status, over.end?.result, over.again], [1, '"done"', undefined])
  const again = apply([complete(2), complete(1, other)])
  t.strictSame([again.end, again.again?.input], [undefined, '"done"'])
})

t.test('a termination is not lost, whatever the worker answers to it', async t => {
  const inbox = [entry('terminate', {executionTerminated: {input: {value: '"enough"'}, recurse: true}}, 'recursive')]
  const ended = {
    status: 5,
    end: {result: '"enough"', failure: undefined},
    again: undefined,
    activities: [],
    endsChildren: true
  }
  const deaf = apply([{id: 0, scheduleTask: task('late')}], {inbox})
  t.match(deaf, ended)
  t.strictSame(kinds(deaf).slice(-1), ['executionCompleted'])
  t.match(apply([complete(2)], {inbox}), ended, 'one that continues as new')
  t.match(apply([complete(2), complete(3)], {inbox}), {status: 3, again: undefined})
})

t.test('an action of an unknown kind is refused: what it asks for would never come', async t => {
  t.throws(() => apply([{id: 7}]), {name: 'DecodeError', message: /'o-1'.*action 7 of an unknown kind/})
  t.match(apply([{id: 7, versionNotAvailable: {}}]), {status: 0})
})

t.test('the history has what tasks and children belong to, and which try a child is', async t => {
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const {events} = apply(
    [
      {id: 0, scheduleTask: task('reserve')},
      {id: 1, createChild: {...child('second'), retryOf: {instanceId: 'first'}}}
    ],
    {trace}
  )
  const [, , scheduled, created] = events.map(readEvent)
  t.match(scheduled?.taskScheduled, {parentTraceContext: {traceParent: trace}})
  t.match(created?.childCreated, {parentTraceContext: {traceParent: trace}, retryOf: {instanceId: 'first'}})
  const other = '00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203332-01'
  const detached = {instanceId: 'd', name: 'mail', version: undefined, input: undefined, scheduledStart: undefined}
  const turn = apply(
    [
      {id: 0, createDetached: {...detached, parentTraceContext: {traceParent: other}}},
      {id: 1, createDetached: {...detached, parentTraceContext: undefined}}
    ],
    {trace}
  )
  t.strictSame(
    turn.children.map(each => each.trace),
    [other, undefined]
  )
})

t.test('a child without an id gets one of its parent and its action', async t => {
  const turn = apply([
    {id: 26, createChild: child('')},
    {id: 27, createChild: child('mine')}
  ])
  t.match(turn.children, [{id: 'o-1:001a', task: 26, isDetached: false}, {id: 'mine'}])
  t.equal(readEvent(turn.events[2] ?? NOTHING).childCreated?.instanceId, 'o-1:001a')
})

t.test('an end has its result or its failure; a recursive termination ends the children', async t => {
  t.match(apply([complete(1)]), {status: 1, end: {result: '"done"', failure: undefined}, endsChildren: false})
  const failureDetails = Buffer.from([10, 1, 65])
  t.match(apply([complete(3, {result: undefined, failureDetails})]), {status: 3, end: {failure: failureDetails}})
  t.match(apply([complete(5)], {inbox: [terminated('recursive')]}), {status: 5, endsChildren: true})
  t.match(apply([complete(5)], {inbox: [terminated('')]}), {status: 5, endsChildren: false})
})

t.test('continue as new drops what else the turn wanted', async t => {
  const carried = [eventOf(AT, {eventRaised: {name: 'x', input: undefined}})]
  const turn = apply([{id: 0, scheduleTask: task('late')}, complete(2, {carryoverEvents: carried})])
  t.match(turn, {status: 0, events: [], activities: [], end: undefined, again: {input: '"done"'}})
  t.equal(turn.again?.carried.length, 1)
})

t.test('suspended it stays until the last word is to resume', async t => {
  const suspend = entry('suspend', {executionSuspended: {input: undefined}})
  const resume = entry('resume', {executionResumed: {input: undefined}})
  t.equal(apply([], {inbox: [suspend]}).status, 7)
  t.equal(apply([], {inbox: [STARTED], isSuspended: true}).status, 7)
  t.equal(apply([], {inbox: [suspend, resume], isSuspended: true}).status, 0)
})

t.test('each answer says the custom status anew; a version is kept with its turn', async t => {
  t.equal(apply([], {}, {customStatus: {value: 'packs'}}).customStatus, 'packs')
  t.equal(apply([]).customStatus, undefined)
  const turn = apply([], {}, {version: {patches: ['a'], name: 'v2'}})
  t.equal(turn.version, 'v2')
  t.match(readEvent(turn.events[0] ?? NOTHING).workflowStarted, {version: {patches: ['a'], name: 'v2'}})
})

t.test('an event or an end for another instance', async t => {
  const turn = apply([
    {id: 1, sendEvent: {instance: {instanceId: 'o-2', executionId: undefined}, name: 'Go', data: {value: '1'}}},
    {id: 2, terminate: {instanceId: 'o-3', reason: {value: '"no"'}, recurse: true}}
  ])
  t.strictSame(kinds(turn), ['workflowStarted', 'executionStarted', 'eventSent 1'])
  t.match(turn.messages, [
    {app: 'shop', id: 'o-2', kind: 'event', name: 'Go'},
    {app: 'shop', id: 'o-3', kind: 'terminate', name: 'recursive'}
  ])
})
