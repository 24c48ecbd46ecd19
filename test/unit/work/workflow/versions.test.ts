import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {encode} from '../../../../src/proxy/net/grpc/message-codec.ts'
import {stallsOf} from '../../../../src/work/workflow/failure.ts'
import {FAILURE_DETAILS, readEvent, type Action, type TurnAnswer} from '../../../../src/work/workflow/messages.ts'
import type {Workflows} from '../../../../src/work/workflow/workflows.ts'
import {answer, call, connected, done, end, openHouse, order, TestWorker} from '../../../rig/workflow-house.ts'
import {endStalled} from './large-inputs.ts'

const STALLED = 8

const patched = (patches: readonly string[], actions: readonly Partial<Action>[]): ReturnType<typeof answer> => ({
  ...answer('o-1', actions),
  version: {patches: [...patches], name: ''} satisfies TurnAnswer['version']
})

const stallOf = (workflows: Workflows): unknown => {
  const instance = workflows.find('shop', 'o-1')
  const latest = instance && stallsOf(instance).at(-1)
  return {status: instance?.status, ...(latest && readEvent(latest).executionStalled)}
}

const descriptionsOf = (workflows: Workflows): readonly unknown[] => {
  const instance = workflows.find('shop', 'o-1')
  return instance === undefined
    ? []
    : stallsOf(instance).map(each => readEvent(each).executionStalled?.description.replace(/.*current patches: /, ''))
}

t.test('a worker without the patches of the history: it stalls, and goes on with one that has them', async t => {
  const {workflows, said} = await openHouse(t)
  const old = new TestWorker()
  const leave = workflows.connect('shop', old)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', patched(['a', 'b'], [call(1, 'charge')]))
  await workflows.completeActivity('shop', done('o-1', 1))
  old.items.length = 0
  await workflows.completeTurn('shop', patched(['b'], [end()]))
  const description = 'Patch mismatch. History patches: [a, b], current patches: [b]. '
  t.match(stallOf(workflows), {status: STALLED, reason: 0, description})
  t.strictSame(said, [`shop: workflow 'order' 'o-1' is stalled: ${description}`])
  const instance = workflows.at(1)
  t.strictSame(instance && workflows.latestChanges(instance), [], 'no step is told twice')
  t.strictSame(old.seen(), [], 'it is not sent to the same one again')
  leave()
  const next = connected(workflows)
  await workflows.settled()
  t.match(next.seen(), [/\| workflowStarted taskCompleted$/], 'the turn was undone')
  await workflows.completeTurn('shop', patched(['b'], [end()]))
  t.equal(said.length, 1, 'the same is said once')
  workflows.connect('shop', next)
  await workflows.settled()
  await workflows.completeTurn('shop', patched(['x'], [end()]))
  t.strictSame(descriptionsOf(workflows), ['[b]. ', '[x]. '], 'another reason is another event of the history')
  t.equal(said.length, 2)
  workflows.connect('shop', next)
  await workflows.settled()
  await workflows.completeTurn('shop', patched(['a', 'b', 'c'], [end()]))
  t.match(workflows.find('shop', 'o-1'), {status: 1, stall: undefined})
})

t.test('an instance that was suspended before it stalled is so when it goes on', async t => {
  const {workflows} = await openHouse(t)
  const worker = new TestWorker()
  const leave = workflows.connect('shop', worker)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', patched(['a'], [call(1, 'charge')]))
  await workflows.tell('shop', 'o-1', 'suspend', {executionSuspended: {input: undefined}})
  await workflows.completeTurn('shop', patched(['a'], []))
  t.match(workflows.find('shop', 'o-1'), {status: 7})
  await workflows.completeActivity('shop', done('o-1', 1))
  await workflows.completeTurn('shop', patched(['b'], []))
  t.match(stallOf(workflows), {status: STALLED})
  leave()
  workflows.connect('shop', worker)
  await workflows.settled()
  await workflows.completeTurn('shop', patched(['a'], []))
  t.match(workflows.find('shop', 'o-1'), {status: 7, stall: undefined})
})

t.test('a workflow that is suspended is not told so again, until it is to go on', async t => {
  const {workflows} = await openHouse(t)
  const worker = connected(workflows)
  const tell = async (kind: 'suspend' | 'resume'): Promise<unknown> =>
    workflows.tell('shop', 'o-1', kind, {
      [kind === 'suspend' ? 'executionSuspended' : 'executionResumed']: {input: undefined}
    })
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'charge')]))
  await tell('suspend')
  await tell('suspend')
  await workflows.completeTurn('shop', answer('o-1', []))
  t.match(workflows.find('shop', 'o-1'), {status: 7})
  const turns = worker.items.length
  await tell('suspend')
  t.equal(worker.items.length, turns, 'no turn for nothing')
  await tell('resume')
  await tell('suspend')
  await workflows.completeTurn('shop', answer('o-1', []))
  t.match(workflows.find('shop', 'o-1'), {status: 0})
  await workflows.completeTurn('shop', answer('o-1', []))
  t.match(workflows.find('shop', 'o-1'), {status: 7}, 'the last word counts')
})

t.test('a workflow that is not suspended is not resumed: the SDK for Python would fail', async t => {
  const {workflows} = await openHouse(t)
  const worker = connected(workflows)
  const resume = async (): Promise<unknown> =>
    workflows.tell('shop', 'o-1', 'resume', {executionResumed: {input: undefined}})
  await workflows.start('shop', order())
  await resume()
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'charge')]))
  await resume()
  await workflows.tell('shop', 'o-1', 'suspend', {executionSuspended: {input: undefined}})
  await resume()
  await resume()
  await workflows.completeTurn('shop', answer('o-1', []))
  t.strictSame(worker.seen(), [
    'o-1: | workflowStarted executionStarted',
    'charge 1',
    'o-1: workflowStarted executionStarted taskScheduled | workflowStarted executionSuspended',
    'o-1: workflowStarted executionStarted taskScheduled workflowStarted executionSuspended | workflowStarted executionResumed'
  ])
})

t.test('a version that the worker does not have; who is terminated is not held any more', async t => {
  const {workflows} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order())
  const gone = {...answer('o-1', [{id: 1, versionNotAvailable: {}}]), version: {patches: [], name: 'v1'}}
  await workflows.completeTurn('shop', gone)
  t.match(stallOf(workflows), {status: STALLED, reason: 1, description: 'Version not available: v1'})
  await workflows.tell('shop', 'o-1', 'terminate', {executionTerminated: {input: undefined, recurse: false}})
  t.match(workflows.find('shop', 'o-1'), {status: 5})
  worker.items.length = 0
  workflows.connect('shop', worker)
  await workflows.settled()
  t.strictSame(worker.seen(), [])
})

t.test('who is stalled hears of nothing but its end: it is neither suspended nor resumed nor gets events', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  const gone = {...answer('o-1', [{id: 1, versionNotAvailable: {}}]), version: {patches: [], name: 'v1'}}
  await workflows.completeTurn('shop', gone)
  const stalled = {refusal: 'stalled', message: "failed to invoke method for workflow 'o-1': actor is stalled"}
  const input = undefined
  await t.rejects(workflows.tell('shop', 'o-1', 'suspend', {executionSuspended: {input}}), stalled)
  await t.rejects(workflows.tell('shop', 'o-1', 'resume', {executionResumed: {input}}), stalled)
  await t.rejects(workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'paid', input}}), stalled)
})

for (const message of [
  'A previous execution called callActivity with ID=1, but the current execution doesn’t have this action.\n  at x',
  "a previous execution called CallActivity for 'charge' and sequence number 1 at this point in the workflow logic"
])
  t.test('code that changed under an instance is told with its place', async t => {
    const {workflows, said, clock} = await openHouse(t)
    const details = {errorType: 'NonDeterminismError', errorMessage: message, stackTrace: undefined}
    const failed = {
      id: 2,
      complete: {status: 3, result: undefined, carryoverEvents: [], failureDetails: encode(FAILURE_DETAILS, details)}
    }
    const begin = async (): Promise<void> => {
      await workflows.start('shop', order())
      await workflows.completeTurn('shop', answer('o-1', [call(1, 'charge')]))
      await workflows.completeActivity('shop', done('o-1', 1))
    }
    const told =
      /does not replay: step 1 was activity 'charge' \(00:00:0\d\); the code no longer calls it there\. It changed under a running instance\. Its worker says: a previous [^\n]+ Undo the change; or, once it is over: pillion workflow rerun o-1/i
    const leave = workflows.connect('shop', new TestWorker())
    clock.pass(1000)
    await begin()
    await workflows.completeTurn('shop', answer('o-1', [failed]))
    t.match(workflows.find('shop', 'o-1'), {status: 3}, 'of the same process it fails, as with Dapr')
    t.match(said.splice(0), [told])
    await begin()
    clock.pass(1000)
    leave()
    workflows.connect('shop', new TestWorker())
    await workflows.completeTurn('shop', answer('o-1', [failed]))
    t.match(stallOf(workflows), {status: STALLED}, 'after a reload it waits for the next save')
    t.match(said, [told])
    workflows.connect('shop', new TestWorker())
    await workflows.settled()
    await workflows.completeTurn('shop', answer('o-1', [end()]))
    t.match(workflows.find('shop', 'o-1'), {status: 1})
  })

t.test('the next run does not take up what a workflow has left that was terminated while it stalled', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'work-'))
  t.teardown(() => rmSync(folder, {recursive: true}))
  const path = join(folder, 'work.db')
  const {workflows, close} = await openHouse(t, path)
  const leave = workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', patched(['a'], [call(1, 'charge'), call(2, 'send', 'post')]))
  await workflows.completeActivity('shop', done('o-1', 1))
  await workflows.completeTurn('shop', patched(['b'], [end()]))
  t.match(stallOf(workflows), {status: STALLED})
  leave()
  await workflows.tell('shop', 'o-1', 'terminate', {executionTerminated: {input: undefined, recurse: true}})
  t.match(workflows.find('shop', 'o-1'), {status: 5})
  close()
  const next = await openHouse(t, path)
  t.teardown(next.close)
  const post = connected(next.workflows, 'post')
  await next.workflows.settled()
  await new Promise(setImmediate)
  t.strictSame(post.seen(), [], 'nobody waits for its activity')
})

t.test('each round of one that continues as new has its own start and version', async t => {
  const {workflows, clock, counted} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  const turn = async (name: string, action: Parameters<typeof answer>[1]): Promise<void> =>
    workflows.completeTurn('shop', {...answer('o-1', action), version: {patches: [], name}})
  await turn('v1', [call(0, 'charge')])
  await workflows.completeActivity('shop', done('o-1', 0))
  t.match(workflows.find('shop', 'o-1'), {created: 0, started: 0, version: 'v1'})
  clock.pass(5000)
  await turn('v1', [end(2, '2')])
  t.match(workflows.find('shop', 'o-1'), {created: 5000, started: undefined, version: undefined})
  await turn('v2', [call(0, 'charge')])
  t.match(workflows.find('shop', 'o-1'), {created: 5000, started: 5000, version: 'v2'})
  t.equal(counted.filter(({type}) => type === 'begun').length, 1)
})

t.test('who is terminated while it stalled stays so, however much its children have', async t => endStalled(t, 3))

t.test('while two processes of an app work, code that differs stalls a workflow until one has left', async t => {
  const {workflows, clock} = await openHouse(t)
  let [isOldFree, isNewFree] = [true, false]
  const old = Object.assign(new TestWorker(), {isBehind: () => !isOldFree})
  const next = Object.assign(new TestWorker(), {isBehind: () => !isNewFree})
  const leave = workflows.connect('shop', old)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', patched(['a'], [call(1, 'charge')]))
  clock.pass(1000)
  workflows.connect('shop', next)
  clock.pass(1000)
  ;[isOldFree, isNewFree] = [false, true]
  await workflows.completeActivity('shop', done('o-1', 1))
  await workflows.completeTurn('shop', patched(['a', 'b'], [call(2, 'send')]))
  clock.pass(1000)
  ;[isOldFree, isNewFree] = [true, false]
  await workflows.completeActivity('shop', done('o-1', 2))
  await workflows.completeTurn('shop', patched(['a'], [end()]))
  t.match(stallOf(workflows), {status: STALLED}, 'the old code got the turn after one of the new code')
  next.items.length = 0
  isNewFree = true
  leave()
  await workflows.settled()
  t.match(next.seen(), [/workflowStarted taskCompleted$/], 'the new code gets it')
  await workflows.completeTurn('shop', patched(['a', 'b'], [end()]))
  t.match(workflows.find('shop', 'o-1'), {status: 1})
})

t.test('a step of the old code after the new one has connected does not make the new one fail', async t => {
  const {workflows, clock} = await openHouse(t)
  const details = {errorType: 'NonDeterminismError', errorMessage: 'ID=1', stackTrace: undefined}
  const failureDetails = encode(FAILURE_DETAILS, details)
  const failed = {id: 2, complete: {status: 3, result: undefined, carryoverEvents: [], failureDetails}}
  const leave = workflows.connect('shop', new TestWorker())
  clock.pass(1000)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(1, 'charge')]))
  clock.pass(1000)
  let isNewFree = false
  workflows.connect('shop', Object.assign(new TestWorker(), {isBehind: () => !isNewFree}))
  clock.pass(1000)
  await workflows.completeActivity('shop', done('o-1', 1))
  await workflows.completeTurn('shop', answer('o-1', [call(2, 'send')]))
  clock.pass(1000)
  isNewFree = true
  leave()
  await workflows.completeActivity('shop', done('o-1', 2))
  await workflows.completeTurn('shop', answer('o-1', [failed]))
  t.match(stallOf(workflows), {status: STALLED})
})
