import t from 'tap'
import {failureOf} from '../../../../src/work/workflow/failure.ts'
import {RUNNING, STALLED, TERMINATED} from '../../../../src/work/workflow/status.ts'
import {answer, call, done, end, openHouse, order, TestWorker} from '../../../rig/workflow-house.ts'

t.test('an answer that cannot be read stalls its instance: the worker hears why and gets other work', async t => {
  const {workflows, said} = await openHouse(t)
  const worker = new TestWorker(1)
  workflows.connect('shop', worker)
  await workflows.start('shop', order())
  await workflows.start('shop', order('o-2'))
  t.match(worker.seen(), [/^o-1:/])
  const error = {name: 'DecodeError', message: /'o-1'.*action 7 of an unknown kind/}
  await t.rejects(workflows.completeTurn('shop', answer('o-1', [{id: 7}])), error)
  t.match(workflows.find('shop', 'o-1'), {status: STALLED})
  t.match(said, [/^shop: workflow 'order' 'o-1' is stalled: .*action 7 of an unknown kind/])
  t.match(worker.seen(), [/^o-2:/])
  await workflows.completeTurn('shop', answer('o-2', [end()]))
  workflows.connect('shop', worker)
  await workflows.settled()
  t.match(worker.seen(), [/^o-1:/], 'the next worker may know the action')
  await workflows.completeTurn('shop', answer('o-1'))
  t.match(workflows.find('shop', 'o-1'), {status: RUNNING})
})

t.test('one that cannot be read ends an instance that is to be terminated', async t => {
  const {workflows} = await openHouse(t)
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1'))
  await workflows.tell('shop', 'o-1', 'terminate', {executionTerminated: {input: undefined, recurse: false}})
  await t.rejects(workflows.completeTurn('shop', answer('o-1', [{id: 7}])), {name: 'DecodeError'})
  t.match(workflows.find('shop', 'o-1'), {status: TERMINATED})
})

t.test('an activity whose failure cannot be read has failed: its worker hears why and gets other work', async t => {
  const {workflows} = await openHouse(t)
  const worker = new TestWorker(1)
  workflows.connect('shop', worker)
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'charge')]))
  t.match(worker.seen(), [/^o-1:/, 'charge 0'])
  const broken = {...done('o-1', 0), failureDetails: Uint8Array.of(0x0a, 0x7f)}
  await t.rejects(workflows.completeActivity('shop', broken), {name: 'DecodeError'})
  t.match(worker.seen(), [/^o-1: .*\| workflowStarted taskFailed/])
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  const [failed] = workflows
    .events(await workflows.appeared('shop', 'o-1', () => undefined))
    .flatMap(each => each.taskFailed ?? [])
  t.match(failureOf(failed?.failureDetails), {message: /^the answer of its worker cannot be read: /})
})
