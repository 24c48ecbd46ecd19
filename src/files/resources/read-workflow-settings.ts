import {DEFAULT_WORKFLOWS} from './defaults.ts'
import type {Field} from './field.ts'
import {parseGoDuration} from '../../model/go-duration.ts'
import {
  RETAINED_ENDS,
  type ConcurrencyLimits,
  type RetentionTimes,
  type WorkflowSettings
} from '../../model/workflow-settings.ts'

/** Keys by kind: the limit of a sidecar, the limit of all (the smaller applies, since one process has all replicas), and limits by name. */
const KINDS = {
  workflows: [
    'maxConcurrentWorkflowInvocations',
    'globalMaxConcurrentWorkflowInvocations',
    'workflowConcurrencyLimits'
  ],
  activities: [
    'maxConcurrentActivityInvocations',
    'globalMaxConcurrentActivityInvocations',
    'activityConcurrencyLimits'
  ]
} as const

/** Reads `spec.workflow`. */
export function readWorkflowSettings(spec: Field): WorkflowSettings {
  const workflow = spec.field('workflow')
  if (workflow.isAbsent) return DEFAULT_WORKFLOWS
  workflow.warnUnknownKeys([...KINDS.workflows, ...KINDS.activities, 'stateRetentionPolicy'])
  return {
    workflows: readLimits(workflow, KINDS.workflows),
    activities: readLimits(workflow, KINDS.activities),
    retention: readRetention(workflow.field('stateRetentionPolicy'))
  }
}

function readLimits(
  workflow: Field,
  [own, global, byName]: (typeof KINDS)['workflows' | 'activities']
): ConcurrencyLimits {
  const named = workflow.field(byName).items().flatMap(readNamed)
  return {all: Math.min(readMax(workflow.field(own)), readMax(workflow.field(global))), byName: new Map(named)}
}

/** Reads a limit; a number that is not above zero means no limit. */
function readMax(field: Field): number {
  const max = field.integer() ?? 0
  if (max < 0) field.warn(`${field.path} is below zero: there is no limit`, {expected: 'expected a number above zero'})
  return max > 0 ? max : Infinity
}

function readNamed(limit: Field): readonly [string, number][] {
  limit.warnUnknownKeys(['name', 'maxConcurrent'])
  const name = limit.field('name').text()
  const max = readMax(limit.field('maxConcurrent'))
  if (name !== '' && max < Infinity) return [[name, max]]
  return limit.warn(`${limit.path} has no effect: it has no ${name === '' ? 'name' : 'maxConcurrent'}`) ?? []
}

function readRetention(policy: Field): RetentionTimes {
  policy.warnUnknownKeys(RETAINED_ENDS)
  return Object.fromEntries(
    RETAINED_ENDS.flatMap(end => {
      const ms = durationWithUnit(policy.field(end))
      return ms === undefined ? [] : [[end, ms]]
    })
  )
}

/** Reads a Configuration's duration, which needs a unit. Undefined without one, or after noting a fault. */
export function durationWithUnit(field: Field): number | undefined {
  if (field.isAbsent) return undefined
  const text = field.text()
  const ms = /^[-+]?0*[1-9]\d*$/.test(text) ? `time: missing unit in duration "${text}"` : parseGoDuration(text)
  return typeof ms === 'number'
    ? Math.max(0, ms)
    : field.error(`${field.path}: ${ms}`, {expected: 'expected a duration, such as 72h or 30m'})
}
