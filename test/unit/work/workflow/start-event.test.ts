import t from 'tap'
import {decode} from '../../../../src/proxy/net/grpc/message-codec.ts'
import {EVENT} from '../../../../src/work/workflow/messages.ts'
import {answer, call, connected, done, end, openHouse, order, TestWorker} from '../../../rig/workflow-house.ts'

const PROPAGATED = {
  scope: [1, 'int32'],
  chunks: [
    2,
    {
      list: {
        rawEvents: [1, {list: EVENT}],
        appId: [2, 'string'],
        instanceId: [3, 'string'],
        workflowName: [4, 'string']
      }
    }
  ]
} as const

/** `shop o-1 order: executionStarted taskScheduled` for each chunk. */
const told = (bytes: Uint8Array | undefined): readonly string[] =>
  decode(PROPAGATED, bytes ?? new Uint8Array(0)).chunks.map(
    ({appId, instanceId, workflowName, rawEvents}) =>
      `${appId} ${instanceId} ${workflowName}: ${rawEvents
        .map(event =>
          Object.keys(EVENT).find(
            key => !['eventId', 'timestamp', 'router'].includes(key) && event[key as 'taskScheduled'] !== undefined
          )
        )
        .join(' ')}`
  )

const [OWN, LINEAGE] = [1, 2]
const handed = (id: number, name: string, scope: number) => {
  const action = call(id, name)
  return {...action, scheduleTask: {...action.scheduleTask, scope}} as typeof action
}
const child = (id: number, instanceId: string, scope: number) => ({
  id,
  createChild: {instanceId, name: 'pay', version: undefined, input: undefined, retryOf: undefined, scope}
})

t.test('an activity or a child gets the history up to the step that asks for it, that of callers too', async t => {
  const {workflows} = await openHouse(t)
  const worker = connected(workflows)
  await workflows.start('shop', order())
  worker.items.length = 0
  await workflows.completeTurn('shop', answer('o-1', [handed(0, 'a', OWN), call(1, 'b'), child(2, 'c', OWN)]))
  const [a, b, own] = worker.items.splice(0)
  t.strictSame(told(a?.activity?.propagatedHistory), ['shop o-1 order: workflowStarted executionStarted taskScheduled'])
  t.equal(b?.activity?.propagatedHistory.length, 0, 'nothing where nobody has asked for it')
  const received = ['shop o-1 order: workflowStarted executionStarted taskScheduled taskScheduled childCreated']
  t.strictSame(told(own?.turn?.received), received)
  await workflows.completeTurn('shop', answer('c', [handed(0, 'lineage', LINEAGE), handed(1, 'own', OWN)]))
  const [lineage, alone] = worker.items.splice(0)
  t.strictSame(told(lineage?.activity?.propagatedHistory), [
    ...received,
    'shop c pay: workflowStarted executionStarted taskScheduled'
  ])
  t.equal(told(alone?.activity?.propagatedHistory).length, 1)
  await workflows.completeActivity('shop', done('c', 0))
  t.strictSame(told(worker.items.splice(0)[0]?.turn?.received), received, 'each turn has it')
})

t.test('what was received outlives a run, and goes on to the next round of one that continues as new', async t => {
  const path = `${t.testdir()}/work.db`
  const {workflows, clock, close} = await openHouse(t, path)
  workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  await workflows.completeTurn('shop', answer('o-1', [child(2, 'c', OWN)]))
  close()
  const next = await openHouse(t, path, {clock})
  const worker = connected(next.workflows)
  t.equal(told(worker.items.splice(0)[0]?.turn?.received).length, 1)
  await next.workflows.completeTurn('shop', answer('c', [end(2, '2')]))
  const [again] = worker.items.splice(0)
  t.strictSame(told(again?.turn?.received), ['shop c pay: workflowStarted executionStarted'], 'of the round before')
  next.close()
})
