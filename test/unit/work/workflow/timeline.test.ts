import t from 'tap'
import {encode} from '../../../../src/proxy/net/grpc/message-codec.ts'
import {
  EVENT,
  eventOf,
  FAILURE_DETAILS,
  joinEvents,
  readEvent,
  timeOf,
  type Event
} from '../../../../src/work/workflow/messages.ts'
import {changesOf} from '../../../../src/work/workflow/changes.ts'
import type {Instance} from '../../../../src/work/workflow/instance.ts'
import {timelineOf, type Step} from '../../../../src/work/workflow/timeline.ts'

const NOTHING = new Uint8Array(0)
const TRIED = '2f'

/** As it lies in the file and comes back from there. */
const event = (at: number, told: Event, id = -1): Event => readEvent(eventOf(at, told, id))

const started = event(1000, {
  executionStarted: {
    name: 'order',
    version: undefined,
    input: {value: '"pen"'},
    workflowInstance: undefined,
    parentInstance: undefined,
    scheduledStart: undefined,
    parentTraceContext: undefined,
    workflowSpanId: undefined
  }
})
const scheduled = (at: number, id: number, name: string, {app = '', tried = ''} = {}): Event =>
  event(
    at,
    {
      taskScheduled: {
        name,
        version: undefined,
        scope: undefined,
        input: {value: '1234'},
        taskExecutionId: tried,
        parentTraceContext: undefined,
        rerunOf: undefined
      },
      router: {sourceAppID: 'shop', targetAppID: app}
    },
    id
  )
const done = (at: number, id: number): Event =>
  event(at, {taskCompleted: {taskScheduledId: id, result: {value: '12'}, taskExecutionId: ''}})
const failed = (at: number, id: number): Event => {
  const failureDetails = encode(FAILURE_DETAILS, {errorType: 'Error', errorMessage: 'no money'})
  return event(at, {taskFailed: {taskScheduledId: id, failureDetails, taskExecutionId: ''}})
}
type Timer = Partial<NonNullable<Event['timerCreated']>>
const timer = (at: number, id: number, fireAt: number, origin: Timer = {createTimer: {}}): Event => {
  const none = {
    createTimer: undefined,
    externalEvent: undefined,
    activityRetry: undefined,
    childWorkflowRetry: undefined,
    rerunOf: undefined
  }
  return event(at, {timerCreated: {fireAt: timeOf(fireAt), name: '', ...none, ...origin}}, id)
}
const fired = (at: number, timerId: number, isSkipped = false): Event =>
  event(at, {timerFired: {fireAt: timeOf(at), timerId, isSkipped}})
const raised = (at: number, name: string): Event => event(at, {eventRaised: {name, input: {value: 'true'}}})
const completed = (at: number, status = 1): Event =>
  event(at, {executionCompleted: {status, result: {value: '"ok"'}, failureDetails: NOTHING}})

const brief = (steps: readonly Step[]): readonly string[] =>
  steps.map(({kind, name, state, startedAt, endedAt, tries}) =>
    [kind, name, state, startedAt, endedAt ?? '…', tries > 1 ? `×${tries}` : ''].join(' ').trim()
  )

t.test('a step for each activity, from its schedule to its result', async t => {
  const steps = timelineOf(
    [started, scheduled(1010, 1, 'reserve', {app: 'stock'}), done(1200, 1), completed(1210)],
    'shop'
  )
  t.strictSame(brief(steps), [
    'start order done 1000 1000',
    'activity reserve done 1010 1200',
    'end COMPLETED done 1210 1210'
  ])
  t.match(steps[0], {app: 'shop', inputBytes: 5})
  t.match(steps[1], {id: 1, app: 'stock', inputBytes: 4, outputBytes: 2})
  t.match(steps[2], {outputBytes: 4})
})

t.test('tries of an activity are one step; between them it waits for its next one', async t => {
  const before = [started, scheduled(1010, 1, 'charge', {tried: TRIED}), failed(1100, 1)]
  t.match(timelineOf(before, 'shop')[1], {state: 'failed', endedAt: 1100, failure: 'no money'})
  const waiting = [...before, timer(1100, 2, 6100, {activityRetry: {value: TRIED}})]
  t.match(timelineOf(waiting, 'shop')[1], {state: 'waits', endedAt: undefined, until: 6100, tries: 1})
  const steps = timelineOf(
    [...waiting, fired(6100, 2), scheduled(6101, 3, 'charge', {tried: TRIED}), done(6200, 3)],
    'shop'
  )
  t.strictSame(brief(steps), ['start order done 1000 1000', 'activity charge done 1010 6200 ×2'])
})

t.test('events: one that is waited for, one that is late, one that nobody has asked for', async t => {
  const wait = timer(1010, 1, 5000, {externalEvent: {value: 'Approved'}})
  t.strictSame(brief(timelineOf([started, wait, raised(2000, 'approved')], 'shop')).slice(1), [
    'event Approved done 1010 2000'
  ])
  t.strictSame(brief(timelineOf([started, wait, fired(5000, 1)], 'shop')).slice(1), ['event Approved late 1010 5000'])
  t.strictSame(brief(timelineOf([started, raised(2000, 'hello')], 'shop')).slice(1), ['event hello done 2000 2000'])
  const forEver = timer(1010, 1, Date.UTC(9999, 0), {externalEvent: {value: 'Approved'}})
  t.match(timelineOf([started, forEver], 'shop')[1], {state: 'waits', until: undefined})
})

t.test('a suspension is a step; at the end nothing is waited for any more', async t => {
  const suspended = (at: number): Event => event(at, {executionSuspended: {input: {value: 'no pens'}}})
  const resumed = event(3000, {executionResumed: {input: undefined}})
  const steps = timelineOf(
    [started, timer(1010, 1, 9000), suspended(2000), suspended(2001), resumed, completed(4000, 5)],
    'shop'
  )
  t.strictSame(brief(steps), [
    'start order done 1000 1000',
    'timer  dropped 1010 4000',
    'suspended no pens done 2000 3000',
    'end TERMINATED done 4000 4000'
  ])
})

t.test('children, with their instances and apps', async t => {
  const child = event(
    1010,
    {
      childCreated: {
        instanceId: 'o-1:0001',
        name: 'ship',
        version: undefined,
        scope: undefined,
        input: undefined,
        parentTraceContext: undefined,
        retryOf: undefined,
        rerunOf: undefined
      },
      router: {sourceAppID: 'shop', targetAppID: 'post'}
    },
    1
  )
  const over = event(1500, {childFailed: {taskScheduledId: 1, failureDetails: NOTHING, taskExecutionId: ''}})
  const [, step] = timelineOf([started, child, over], 'shop')
  t.match(step, {kind: 'child', name: 'ship', instance: 'o-1:0001', app: 'post', state: 'failed', endedAt: 1500})
})

/** A turn that cannot be read. */
const UNREAD = Buffer.from([0xff])
const bytesOf = (events: readonly Event[]): Uint8Array => joinEvents(events.map(each => encode(EVENT, each)))

const instance = (turns: number): Instance => ({app: 'shop', turns}) as Instance

t.test('what a turn has changed, with the names of its steps', async t => {
  const told = (latest: readonly Event[], before: readonly Event[] = []): readonly string[] =>
    changesOf(instance(2), [UNREAD, bytesOf(before), bytesOf(latest)]).map(({what, kind, step, failure}) =>
      [what, kind, step, failure].filter(text => text !== '').join(' ')
    )
  const first = [started, scheduled(1010, 1, 'reserve'), timer(1010, 2, 9000)]
  t.strictSame(told(first), ['started', 'begun activity reserve', 'begun timer'])
  t.strictSame(told([done(1200, 1), raised(1201, 'ok')], first), ['done activity reserve', 'raised event ok'])
  t.strictSame(told([failed(1200, 1), fired(9000, 2)], first), ['failed-step activity reserve no money', 'done timer'])
  t.strictSame(
    [1, 3, 5].flatMap(status => told([completed(4000, status)], first)),
    ['completed', 'failed', 'terminated']
  )
  const retry = timer(1100, 3, 6100, {activityRetry: {value: TRIED}})
  t.strictSame(told([retry, fired(6100, 3)], first), [], 'the pause before a try is none')
  t.match(changesOf(instance(0), []), [{what: 'continued'}])
  t.strictSame(changesOf({...instance(2), status: 8}, [bytesOf(first)]), [], 'one that stalls has told its turns')
})
