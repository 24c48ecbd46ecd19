import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {DEFAULT_WORKFLOWS} from '../../../src/files/resources/defaults.ts'
import {parseResourceFile} from '../../../src/files/resources/resource-file.ts'
import {readWorkflowSettings} from '../../../src/files/resources/read-workflow-settings.ts'
import type {WorkflowSettings} from '../../../src/model/workflow-settings.ts'

const read = (workflow: string): {settings: WorkflowSettings | undefined; faults: string[]} => {
  const {documents, faults} = parseResourceFile({file: 'config.yaml', text: `spec:\n  workflow:${workflow}\n`})
  const spec = documents[0]?.field('spec')
  return {
    settings: spec && readWorkflowSettings(spec),
    faults: faults.map(({severity, place, message, expected, hint}) =>
      [`${severity} ${place.line}:${place.column}`, message, expected, hint].filter(Boolean).join(' | ')
    )
  }
}

t.test('what is left out is not limited and kept for ever', async t => {
  t.strictSame(read(''), {settings: DEFAULT_WORKFLOWS, faults: []})
  t.strictSame(read(' {maxConcurrentWorkflowInvocations: 0}'), {settings: DEFAULT_WORKFLOWS, faults: []})
})

t.test('limits: the smaller of both numbers, and by name; how long what is over is kept', async t => {
  const {settings, faults} = read(`
    maxConcurrentWorkflowInvocations: 8
    globalMaxConcurrentWorkflowInvocations: 5
    globalMaxConcurrentActivityInvocations: 3
    workflowConcurrencyLimits: [{name: order, maxConcurrent: 2}]
    activityConcurrencyLimits: [{name: charge, maxConcurrent: 1}]
    stateRetentionPolicy: {anyTerminal: 1h30m, completed: 0s, failed: "0"}`)
  t.strictSame(faults, [])
  t.strictSame(settings, {
    workflows: {all: 5, byName: new Map([['order', 2]])},
    activities: {all: 3, byName: new Map([['charge', 1]])},
    retention: {anyTerminal: 5_400_000, completed: 0, failed: 0}
  })
})

t.test('what has no effect, and what cannot be read, is told with its place', async t => {
  t.strictSame(
    read(`
    maxConcurrentWorkflows: 8
    maxConcurrentActivityInvocations: -1
    workflowConcurrencyLimits: [{maxConcurrent: 2}, {name: order}]
    stateRetentionPolicy: {complete: 1h, failed: 3 days, terminated: 60}`).faults,
    [
      'warning 3:5 | unknown key spec.workflow.maxConcurrentWorkflows: it has no effect | did you mean maxConcurrentWorkflowInvocations?',
      'warning 5:33 | spec.workflow.workflowConcurrencyLimits[0] has no effect: it has no name',
      'warning 5:53 | spec.workflow.workflowConcurrencyLimits[1] has no effect: it has no maxConcurrent',
      'warning 4:39 | spec.workflow.maxConcurrentActivityInvocations is below zero: there is no limit | expected a number above zero',
      'warning 6:28 | unknown key spec.workflow.stateRetentionPolicy.complete: it has no effect | did you mean completed?',
      'error 6:50 | spec.workflow.stateRetentionPolicy.failed: time: unknown unit " days" in duration "3 days" | expected a duration, such as 72h or 30m',
      'error 6:70 | spec.workflow.stateRetentionPolicy.terminated: time: missing unit in duration "60" | expected a duration, such as 72h or 30m'
    ]
  )
})

t.test('the manual’s example', async t => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/workflows.md'), 'utf8')
  const [, text = ''] = /^```yaml\n(spec:.*?)^```/ms.exec(page) ?? []
  const {documents, faults} = parseResourceFile({file: 'config.yaml', text})
  const spec = documents[0]?.field('spec')
  t.match(spec && readWorkflowSettings(spec), {workflows: {all: 10}, retention: {anyTerminal: 72 * 3_600_000}})
  t.strictSame(faults, [])
})
