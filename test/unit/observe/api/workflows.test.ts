import t from 'tap'
import type {Workflow, WorkflowDetail} from '../../../../src/model/api.generated.ts'
import type {ApiRequest} from '../../../../src/observe/api/route.ts'
import type {RunFacts} from '../../../../src/observe/api/run-facts.ts'
import {
  changeInstance,
  listInstances,
  oneHistory,
  oneInstance,
  oneTimeline,
  purgeInstances,
  skipTime,
  startInstance
} from '../../../../src/observe/api/workflows/serve-workflows.ts'
import {workflowCheck} from '../../../../src/observe/api/wait/checks.ts'
import type {WaitContext} from '../../../../src/observe/api/wait/wait-context.ts'
import {Masking} from '../../../../src/observe/telemetry/recorder/masking.ts'
import {timelineOf} from '../../../../src/work/workflow/timeline.ts'
import {encode} from '../../../../src/proxy/net/grpc/message-codec.ts'
import {FAILURE_DETAILS, timeOf} from '../../../../src/work/workflow/messages.ts'
import type {Workflows} from '../../../../src/work/workflow/workflows.ts'
import {answer, call, connected, done, end, openHouse, order, TestWorker, timer} from '../../../rig/workflow-house.ts'

const request = (body: object, action = ''): ApiRequest =>
  ({at: {action}, body: JSON.stringify(body), gone: new AbortController().signal}) as unknown as ApiRequest

const shown = (view: unknown): unknown => JSON.parse(new Masking().json(view))

const change = async (workflows: Workflows, action: string, body: object): Promise<Workflow> =>
  changeInstance(workflows, request(body, action))

t.test('rerun: from the first step, or from one that is named; refusals say why', async t => {
  const {workflows, clock} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(3, 'reserve')]))
  await workflows.completeActivity('shop', done('o-1', 3))
  await workflows.completeTurn('shop', answer('o-1', [call(4, 'charge')]))
  await t.rejects(change(workflows, 'rerun', {id: 'o-1'}), {message: "'o-1' is not in a terminal state"})
  await workflows.completeActivity('shop', done('o-1', 4))
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  worker.items.length = 0
  t.match(await change(workflows, 'rerun', {id: 'o-1', newId: 'o-2'}), {id: 'o-2', status: 'RUNNING', app: 'shop'})
  t.strictSame(worker.seen(), ['reserve 3'], 'from the first step')
  clock.pass(5)
  const {id} = await change(workflows, 'rerun', {id: 'o-1', eventId: 4, input: {price: 5}})
  const again = workflows.find('shop', id)
  const steps = again === undefined ? [] : timelineOf(workflows.events(again), 'shop')
  const times = steps.map(({name, startedAt}) => [name, startedAt])
  t.strictSame(times, [['order', 0], ['reserve', 0], ['charge', 5]], 'what is done again begins now') // prettier-ignore
  t.match(worker.items[0]?.activity, {name: 'charge', input: {value: '{"price":5}'}})
  t.match(id, /^[\da-f-]{36}$/, 'an id is made')
  t.match(workflows.find('shop', id), {status: 0})
  await t.rejects(change(workflows, 'rerun', {id: 'o-1', eventId: 'x'}), {message: 'eventId is not a whole number'})
  await t.rejects(change(workflows, 'rerun', {id: 'o-1', eventId: 7}), {message: /does not have history event/})
  await t.rejects(change(workflows, 'rerun', {id: 'nobody'}), {message: "there is no workflow 'nobody'"})
  await workflows.start('shop', order('short'))
  await workflows.completeTurn('shop', answer('short', [end()]))
  await t.rejects(change(workflows, 'rerun', {id: 'short'}), {
    message: "'short' has no activity, timer or child to run again from"
  })
})

t.test('skip: a timer of one workflow, or the clock of all', async t => {
  const {workflows} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [{id: 1, createTimer: timer(timeOf(1000))}]))
  worker.items.length = 0
  await t.rejects(change(workflows, 'skip', {id: 'o-1', timer: 7}), {message: "workflow 'o-1' waits for no timer 7"})
  t.match(await change(workflows, 'skip', {id: 'o-1'}), {id: 'o-1', status: 'RUNNING'})
  t.match(worker.seen(), [/timerFired$/])
  await workflows.completeTurn('shop', answer('o-1', [{id: 2, createTimer: timer(timeOf(3000))}]))
  await workflows.start('shop', order('later', 60_000))
  const skipping = skipTime(workflows, request({ms: 60_000}))
  while (worker.items.length === 0) await new Promise(resolve => setImmediate(resolve))
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  while (worker.items.length === 1) await new Promise(resolve => setImmediate(resolve))
  await workflows.completeTurn('shop', answer('later', [end()]))
  t.strictSame(await skipping, {
    fired: [
      {kind: 'timer', afterMs: 2000, app: 'shop', id: 'o-1', name: 'order', eventId: 2, actor: null},
      {kind: 'start', afterMs: 60_000, app: 'shop', id: 'later', name: 'order', eventId: null, actor: null}
    ],
    others: 0,
    isSettled: true
  })
  for (const ms of [1e16, 4e12, 0, -1, 1.5, 'x', undefined])
    await t.rejects(skipTime(workflows, request({ms})), {
      message: /^ms is (?:missing, 0, or more than a hundred years|not a whole number)$/
    })
})

t.test('the history of a workflow with a timer for a time that no Date can hold is shown', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  const times = [253_402_300_800n, 9_000_000_000_000n, 300_000_000_000_000n]
  const timers = times.map((seconds, id) => ({id, createTimer: timer({seconds, nanos: 5})}))
  await workflows.completeTurn('shop', answer('o-1', timers))
  const query = new URLSearchParams({id: 'o-1'})
  const {events} = oneHistory(workflows, {query} as ApiRequest)
  t.match(
    events.filter(({type}) => type === 'TimerCreated').map(({attrs}) => attrs['fireAt']),
    ['+010000-01-01T00:00:00Z', '+275760-09-13T00:00:00Z', '+275760-09-13T00:00:00Z']
  )
})

t.test('purge: all that are over, those that others have started with these; one that is not over stays', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  const child = {
    instanceId: 'c',
    name: 'pay',
    version: undefined,
    scope: undefined,
    retryOf: undefined,
    input: undefined
  }
  const ids = (): readonly string[] => workflows.list('shop', 0, 1000).map(({id}) => id)
  const begin = async (): Promise<void> => {
    for (let index = 0; index < 250; index++) {
      await workflows.start('shop', order(`o-${index}`))
      await workflows.completeTurn(
        'shop',
        answer(`o-${index}`, [...(index === 7 ? [{id: 1, createChild: child}] : []), end()])
      )
    }
  }
  await begin()
  await t.rejects(purgeInstances(workflows, request({all: true})), {
    message: "workflow 'o-7' is not removed: orchestration has not yet completed",
    explanation: 'Workflows removed: 249.'
  })
  t.strictSame(ids(), ['o-7', 'c'], 'its child still runs, and holds up no other one')
  await workflows.completeTurn('shop', answer('c', [end()]))
  await begin()
  await workflows.completeTurn('shop', answer('c', [end()]))
  await workflows.start('shop', order('runs'))
  t.match(await purgeInstances(workflows, request({all: true})), {count: 251})
  t.strictSame(ids(), ['runs'])
  t.match(await purgeInstances(workflows, request({all: true, force: true})), {count: 1, purged: [{id: 'runs'}]})
})

t.test('for who has left nothing is started, and nothing is waited for', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  const gone = AbortSignal.abort(new Error('who asked for it has left'))
  const facts = {control: {list: () => ({apps: [{id: 'shop'}]})}} as unknown as RunFacts
  const start = startInstance(facts, workflows, {...request({app: 'shop', name: 'order', id: 'o-9'}), gone})
  await t.rejects(start, {message: 'who asked for it has left'})
  t.equal(workflows.find('shop', 'o-9'), undefined)
  await workflows.start('shop', order())
  const suspended = await changeInstance(workflows, {...request({id: 'o-1'}, 'suspend'), gone})
  t.match(suspended, {id: 'o-1', status: 'PENDING'})
})

t.test('what is secret in the last words of a workflow, and in why it failed, is masked', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  const customStatus = {value: '{"step":1,"token":"S3cr3t"}'}
  await workflows.completeTurn('shop', {...answer('o-1', [call(3, 'charge')]), customStatus})
  const errorMessage = 'GET https://bank/?token=S3cr3t'
  const stackTrace = {value: `Error: ${errorMessage}\n    at charge`}
  const failureDetails = Buffer.from(encode(FAILURE_DETAILS, {errorMessage, stackTrace}))
  await workflows.completeActivity('shop', {...done('o-1', 3), result: undefined, failureDetails})
  const failed = {...end(3), id: 4}
  const complete = {...failed.complete, failureDetails} as NonNullable<typeof failed.complete>
  await workflows.completeTurn('shop', {...answer('o-1', [{...failed, complete}]), customStatus})
  const asked = {query: new URLSearchParams({id: 'o-1'})} as ApiRequest
  const [row] = listInstances(workflows, new URLSearchParams()).workflows
  t.match(shown(row), {
    customStatus: '{"step":1,"token":"<masked, 6 characters>"}',
    failure: 'GET https://bank/?token=<masked, 6 characters>'
  })
  const {stack} = shown(oneInstance(workflows, asked)) as WorkflowDetail
  t.equal(stack, 'Error: GET https://bank/?token=<masked, 6 characters>\n    at charge')
  const context = {workflows: async () => workflows} as unknown as WaitContext
  const standing = await workflowCheck(context, {text: '', kind: 'workflow', id: 'o-1', state: 'completed'}).look(0)
  t.match(JSON.stringify(standing), '<masked, 6 characters>')
  const views = [row, await oneTimeline(workflows, asked, []), oneHistory(workflows, asked)]
  t.notMatch(JSON.stringify([standing, shown(views)]), 'S3cr3t')
})
