import t from 'tap'
import type {Workflow, WorkflowStep} from '../../../../../../src/model/api.generated.ts'
import {timelineText} from '../../../../../../src/clients/cli/commands/workflow/timeline.ts'

const NOW = Date.UTC(2026, 0, 1, 12)
const at = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString()

const WORKFLOW: Workflow = {
  number: 1,
  app: 'checkout',
  id: 'order-1',
  name: 'saga',
  status: 'RUNNING',
  created: at(60),
  lastUpdate: at(1),
  customStatus: '',
  failure: '',
  parent: null,
  workers: 1,
  trace: ''
}

const waiting = (more: Partial<WorkflowStep>): WorkflowStep => ({
  kind: 'activity',
  eventId: 1,
  name: 'one',
  app: 'checkout',
  instance: '',
  span: '',
  startedAt: at(14.1),
  endedAt: null,
  state: 'waits',
  tries: 1,
  inputBytes: 0,
  outputBytes: 0,
  until: null,
  failure: '',
  ...more
})

const headline = (workflow: Workflow, steps: readonly WorkflowStep[]): string =>
  timelineText({workflow, steps, missing: [], events: []}, {now: NOW, width: 200}).split('\n', 1)[0] ?? ''

t.test('open steps of a fan-out are one in the headline; others stand alone', async t => {
  const many = Array.from({length: 200}, (_, eventId) => waiting({eventId}))
  t.equal(
    headline(WORKFLOW, [...many, waiting({kind: 'event', name: 'approved', eventId: 300, until: at(-60)})]),
    'saga order-1 of checkout: RUNNING, waits for 200 × activity one in checkout, the oldest since 14.1 s; event approved, gives up in 60s'
  )
  t.equal(
    headline(WORKFLOW, [waiting({})]),
    'saga order-1 of checkout: RUNNING, waits for activity one in checkout since 14.1 s'
  )
})

t.test('one that is stalled says why, and not what it would wait for', async t => {
  const failure = "does not replay: step 1 was activity 'reserve'; the code no longer calls it there"
  t.equal(
    headline({...WORKFLOW, status: 'STALLED', failure}, [waiting({kind: 'event', name: 'approved'})]),
    `saga order-1 of checkout: STALLED: ${failure}`
  )
})
