import t from 'tap'
import type {WorkflowEvent} from '../../../../src/model/work-event.ts'
import {DEFAULT_METRICS} from '../../../../src/files/resources/defaults.ts'
import {SidecarMetrics} from '../../../../src/observe/telemetry/metrics/sidecar-metrics.ts'
import {STALLED} from '../../../../src/work/workflow/status.ts'
import {answer, call, done, end, openHouse, order, TestWorker} from '../../../rig/workflow-house.ts'

/** What is the same each time. */
const shown = ({type, ...event}: WorkflowEvent): string =>
  [type, ...Object.entries(event).map(([key, value]) => (typeof value === 'number' ? key : String(value)))].join(' ')

t.test('what the metrics count of a workflow', async t => {
  const {workflows, counted, clock} = await openHouse(t)
  const seen = (): readonly string[] => counted.splice(0).map(shown)
  const leave = workflows.connect('shop', new TestWorker())
  await workflows.start('shop', order())
  t.strictSame(seen(), ['turn-sized order share', 'asked create_workflow true elapsedMs'])
  clock.pass(250)
  leave()
  t.strictSame(seen(), ['ended recoverable elapsedMs order'])
  workflows.connect('shop', new TestWorker())
  await workflows.completeTurn('shop', answer('o-1', [call(0, 'charge'), call(1, 'send')]))
  t.match(
    counted.find(({type}) => type === 'begun'),
    {workflow: 'order', elapsedMs: 250}
  )
  t.strictSame(seen(), [
    'turn-sized order share',
    'begun order elapsedMs',
    'activity-sized order charge share',
    'activity-sent charge',
    'activity-sized order send share',
    'activity-sent send'
  ])
  await workflows.completeActivity('shop', done('o-1', 0))
  await workflows.completeActivity('shop', {...done('o-1', 1), failureDetails: new Uint8Array([10, 1, 65])})
  t.strictSame(
    seen().filter(each => !each.startsWith('turn-sized')),
    ['activity-ended charge success elapsedMs', 'activity-ended send failed elapsedMs']
  )
  clock.pass(750)
  await workflows.completeTurn('shop', answer('o-1', [end()]))
  t.match(counted.at(-1), {type: 'ended', status: 'success', elapsedMs: 750})
  await workflows.tell('shop', 'o-1', 'event', {eventRaised: {name: 'x', input: undefined}})
  await t.rejects(workflows.tell('shop', 'none', 'suspend', {executionSuspended: {input: undefined}}))
  await workflows.purge('shop', 'o-1', {isRecursive: false, isForced: false})
  t.strictSame(seen(), [
    'ended order success elapsedMs',
    'asked add_event true elapsedMs',
    'asked add_event false elapsedMs',
    'asked purge_workflow true elapsedMs'
  ])
})

t.test('what is too large for a worker is counted with its size', async t => {
  const {workflows, counted} = await openHouse(t)
  workflows.connect('small', new TestWorker())
  await workflows.start('small', order())
  counted.length = 0
  const large = {...call(0, 'charge').scheduleTask, input: {value: 'x'.repeat(5000)}} as never
  await workflows.completeTurn('small', answer('o-1', [{id: 0, scheduleTask: large}]))
  t.match(workflows.find('small', 'o-1'), {status: STALLED})
  const sizes = counted.filter(({type}) => type !== 'begun')
  t.match(sizes, [{type: 'activity-sized', workflow: 'order', activity: 'charge', share: Number}])
  t.ok(sizes.every(each => 'share' in each && each.share > 1))
})

t.test('the metrics have the names and labels of Dapr', async t => {
  const metrics = new SidecarMetrics('shop', 'default', {...DEFAULT_METRICS, latencyBuckets: [10]})
  const events: readonly WorkflowEvent[] = [
    {type: 'asked', operation: 'create_workflow', isSuccess: true, elapsedMs: 2},
    {type: 'begun', workflow: 'order', elapsedMs: 3},
    {type: 'ended', workflow: 'order', status: 'success', elapsedMs: 40},
    {type: 'ended', workflow: 'order', status: 'recoverable', elapsedMs: 0},
    {type: 'turn-sized', workflow: 'order', share: 0.97},
    {type: 'activity-sized', workflow: 'order', activity: 'charge', share: 0.2},
    {type: 'activity-sent', activity: 'charge'},
    {type: 'activity-ended', activity: 'charge', status: 'failed', elapsedMs: 5}
  ]
  for (const event of events) metrics.workflows.record(event)
  const lines = metrics
    .text()
    .split('\n')
    .filter(line => /^dapr_runtime_workflow_.*(_count|ratio_bucket)\{/.test(line) && !/le="[12]/.test(line))
  const common = 'app_id="shop",namespace="default"'
  const charge = `activity_name="charge",${common}`
  const prefix = 'dapr_runtime_workflow_'
  for (const line of [
    `activity_execution_count{${charge},status="failed"} 1`,
    `activity_execution_latency_count{${charge},status="failed"} 1`,
    `activity_operation_count{${charge},status="success"} 1`,
    `activity_payload_size_ratio_bucket{${charge},workflow_name="order",le="0.25"} 1`,
    `execution_count{${common},status="recoverable",workflow_name="order"} 1`,
    `execution_count{${common},status="success",workflow_name="order"} 1`,
    `execution_latency_count{${common},status="success",workflow_name="order"} 1`,
    `operation_count{${common},operation="create_workflow",status="success"} 1`,
    `operation_latency_count{${common},operation="create_workflow",status="success"} 1`,
    `payload_size_ratio_bucket{${common},workflow_name="order",le="0.95"} 0`,
    `payload_size_ratio_bucket{${common},workflow_name="order",le="0.99"} 1`,
    `scheduling_latency_count{${common},workflow_name="order"} 1`
  ])
    t.ok(lines.includes(prefix + line), line)
  t.notOk(metrics.text().includes('execution_latency_count{app_id="shop",namespace="default",status="recoverable"'))
})
