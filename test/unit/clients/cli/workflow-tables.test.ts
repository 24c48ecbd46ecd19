import t from 'tap'
import type {Workflow, WorkflowEvent, WorkflowStep, WorkflowTimeline} from '../../../../src/model/api.generated.ts'
import {readMoment} from '../../../../src/clients/cli/commands/workflow/target.ts'
import {
  historyRows,
  humanAge,
  shortHistory,
  shortList,
  sorted,
  wideHistory,
  wideList
} from '../../../../src/clients/cli/workflow-tables.ts'
import {stepLine, timelineText} from '../../../../src/clients/cli/commands/workflow/timeline.ts'

const NOW = Date.parse('2026-01-02T03:10:00.000Z')

const workflow = (id: string, changed: Partial<Workflow> = {}): Workflow => ({
  number: 1,
  app: 'shop',
  id,
  name: 'order',
  status: 'RUNNING',
  created: '2026-01-02T03:04:05.678Z',
  lastUpdate: '2026-01-02T03:04:06.789Z',
  customStatus: '',
  failure: '',
  parent: null,
  workers: 1,
  trace: '',
  ...changed
})

t.test('the columns of dapr workflow list; empty ones are left out', async t => {
  const all = [
    workflow('o-2', {created: '2026-01-02T03:04:05.999Z'}),
    workflow('o-1'),
    workflow('o-0', {
      created: '2026-01-02T02:00:00.000Z',
      status: 'FAILED',
      failure: 'no\nmoney',
      customStatus: 'at bank'
    })
  ]
  t.equal(
    shortList(sorted(all), NOW),
    `NAME   ID   STATUS   CUSTOM STATUS  AGE
order  o-0  FAILED   at bank        70m
order  o-1  RUNNING                 5m55s
order  o-2  RUNNING                 5m55s
`
      .split('\n')
      .map(line => line && line.padEnd(43))
      .join('\n')
  )
  t.equal(
    wideList(sorted(all).slice(0, 1), 'default').replaceAll(/ +\n/g, '\n'),
    `NAMESPACE  APP ID  NAME   INSTANCE ID  CREATED               LAST UPDATE           STATUS  CUSTOM STATUS  FAILURE MESSAGE
default    shop    order  o-0          2026-01-02T02:00:00Z  2026-01-02T03:04:06Z  FAILED  at bank        nomoney
`
  )
  t.match(
    shortList([workflow('o-1'), workflow('o-1', {app: 'web'})], NOW),
    /^APP ID {2}NAME/,
    'apps if there are several'
  )
})

const told = (type: string, ms: number, more: Partial<WorkflowEvent> = {}): WorkflowEvent => ({
  play: 1,
  type,
  name: null,
  eventId: null,
  at: new Date(NOW - 2500 + ms).toISOString(),
  status: 'RUNNING',
  details: null,
  router: null,
  executionId: null,
  attrs: {},
  ...more
})

t.test('the columns of dapr workflow history', async t => {
  const events = [
    told('WorkflowStarted', 0, {details: 'replay'}),
    told('ExecutionStarted', 0, {
      name: 'order',
      details: 'workflowStart',
      executionId: 'e',
      attrs: {input: '"two words"'}
    }),
    told('TaskScheduled', 22, {
      name: 'charge',
      eventId: 1,
      router: 'shop->bank',
      attrs: {input: `"${'x'.repeat(130)}"`}
    })
  ]
  const rows = historyRows({app: 'shop', id: 'o-1', events}, 'default', NOW)
  t.equal(
    shortHistory(rows).replaceAll(/ +\n/g, '\n'),
    `TYPE              NAME    EVENTID  ELAPSED    STATUS   DETAILS
WorkflowStarted   -       -        Age:2.50s  RUNNING  replay
ExecutionStarted  order   -                   RUNNING  workflowStart
TaskScheduled     charge  1        22.0ms     RUNNING  -
`
  )
  t.match(
    wideHistory(rows),
    /^PLAY {2}TYPE +NAME +EVENTID +TIMESTAMP +ELAPSED +STATUS +DETAILS +ROUTER +EXECUTION ID +ATTRS/
  )
  t.strictSame(Object.keys(rows[0] ?? {}), 'namespace appID play type name timestamp elapsed status details'.split(' '))
  t.equal(rows[1]?.attrs, 'input=two words', 'a text without its quotes')
  t.equal(rows[2]?.attrs, `input=${'x'.repeat(120)}…`, 'long ones are cut')
})

const step = (kind: WorkflowStep['kind'], ms: number, more: Partial<WorkflowStep> = {}): WorkflowStep => ({
  kind,
  eventId: null,
  name: '',
  app: 'shop',
  instance: '',
  startedAt: new Date(NOW - 9000 + ms).toISOString(),
  endedAt: new Date(NOW - 9000 + ms).toISOString(),
  state: 'done',
  tries: 1,
  inputBytes: 0,
  outputBytes: 0,
  until: null,
  span: '',
  failure: '',
  ...more
})

const shown = (steps: readonly WorkflowStep[], more: Partial<WorkflowTimeline> = {}): string =>
  timelineText({workflow: workflow('o-1'), steps, missing: [], events: [], ...more}, {now: NOW, width: Infinity})

t.test('a timeline says what a workflow waits for', async t => {
  const open = {endedAt: null, state: 'waits'} as const
  const begun = step('start', 0, {name: 'order', inputBytes: 31})
  t.equal(
    shown([begun, step('activity', 1000, {...open, eventId: 1, name: 'charge', app: 'bank', tries: 2})]),
    `order o-1 of shop: RUNNING, waits for activity charge in bank since 8.0 s, try 2
began 2026-01-02T03:04:05.678Z, 9s ago

STEP  WHAT             STATE   BEGAN    TOOK  TRIES  APP     IN
      start order              +0 ms                       31 B
   1  activity charge  waits  +1.0 s  8.0 s…      2  bank

its calls and lines: pillion trace workflow:o-1
`
  )
  const until = new Date(NOW + 250_000).toISOString()
  t.match(shown([begun, step('timer', 1000, {...open, until})]), / waits for timer in 4m10s\n/)
  t.match(shown([begun, step('event', 1000, {...open, name: 'ok', until})]), / waits for event ok, gives up in 4m10s\n/)
  t.match(shown([begun]), /RUNNING, waits for an event\n/)
  t.match(shown([begun], {missing: ['shop']}), /waits for shop to connect a worker\n/)
  const tried = step('activity', 1000, {...open, name: 'charge', until, failure: 'no money'})
  t.match(shown([begun, tried]), /waits for try 2 of activity charge in 4m10s \(no money\)/)
  const over = workflow('o-1', {status: 'FAILED', failure: 'no money'})
  t.match(shown([begun], {workflow: over}), /^order o-1 of shop: FAILED: no money\n/)
  const odd = workflow("it's 1")
  t.match(shown([begun], {workflow: odd}), /: pillion trace 'workflow:it'\\''s 1'\n$/, 'can be pasted into a shell')
})

t.test('a step that changes is one line', async t => {
  const began = NOW - 9000
  t.equal(
    stepLine(step('activity', 1000, {endedAt: null, state: 'waits', name: 'charge'}), began),
    '+1.0 s  activity charge  waits'
  )
  const ended = {endedAt: new Date(NOW - 5000).toISOString(), name: 'charge'}
  t.equal(stepLine(step('activity', 1000, ended), began), '+4.0 s  activity charge  done  3.0 s')
  const failed = {...ended, state: 'failed', failure: 'no money\nat all', tries: 2} as const
  t.equal(stepLine(step('activity', 1000, failed), began), '+4.0 s  activity charge  failed  3.0 s  try 2  no money')
  t.equal(stepLine(step('end', 4000, {name: 'COMPLETED'}), began), '+4.0 s  completed')
})

t.test('ages as Kubernetes writes them', async t => {
  const [s, m, h, d] = [1000, 60_000, 3_600_000, 86_400_000]
  t.strictSame(
    [119 * s, 120 * s, 185 * s, 10 * m, 179 * m, 3 * h + m, 8 * h, 47 * h, 50 * h, 8 * d, 800 * d, 3000 * d].map(
      humanAge
    ),
    ['119s', '2m', '3m5s', '10m', '179m', '3h1m', '8h', '47h', '2d2h', '8d', '2y70d', '8y']
  )
})

const read = (text: string, isPast = false): string => new Date(readMoment(text, 'x', {isPast, now: NOW})).toISOString()

t.test('times and durations from now', async t => {
  t.equal(read('90s'), '2026-01-02T03:11:30.000Z')
  t.equal(read('2h10m', true), '2026-01-02T01:00:00.000Z')
  t.equal(read('2023-01-02T15:04:05'), '2023-01-02T15:04:05.000Z')
  t.equal(read('2023-01-02'), '2023-01-02T00:00:00.000Z')
  t.equal(read('2023-01-02T15:04:05+02:00'), '2023-01-02T13:04:05.000Z')
  for (const wrong of ['', '5', 'soon', '5 s', '2023-13-02', '2023-02-30'])
    t.throws(() => read(wrong), {message: /expected a duration \(2h45m\) or a time/}, wrong)
})
