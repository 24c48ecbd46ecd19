import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {parseResourceFile} from '../../../../src/files/resources/resource-file.ts'
import {
  goGlob,
  isAccessAllowed,
  readAccessPolicies,
  type WorkflowAccessPolicy
} from '../../../../src/files/resources/workflow-access.ts'

const read = (spec: string): {policies: readonly WorkflowAccessPolicy[]; faults: string[]} => {
  const file = parseResourceFile({
    file: 'policy.yaml',
    text: `apiVersion: dapr.io/v1alpha1\nkind: WorkflowAccessPolicy\nmetadata: {name: p}\nspec:${spec}\n`
  })
  return {
    policies: readAccessPolicies(file),
    faults: file.faults.map(({severity, place, message, expected}) =>
      [`${severity} ${place.line}:${place.column}`, message, expected].filter(Boolean).join(' | ')
    )
  }
}

const RULE = `
  rules:
  - callers: [{appID: shop}]
    workflows: [{name: pay*, operations: [schedule, get]}]
    activities: [{name: charge}]`

t.test('without a policy all is allowed; with one what no rule names is not', async t => {
  const {policies, faults} = read(RULE)
  t.strictSame(faults, [])
  const may = (
    caller: string,
    kind: 'workflows' | 'activities',
    operation: 'schedule' | 'get' | 'purge',
    name: string
  ) => isAccessAllowed(policies, {caller, kind, operation, name})
  t.ok(may('shop', 'workflows', 'schedule', 'payment'))
  t.ok(may('shop', 'workflows', 'get', 'pay'))
  t.ok(may('shop', 'activities', 'schedule', 'charge'))
  t.notOk(may('shop', 'workflows', 'purge', 'pay'))
  t.notOk(may('shop', 'workflows', 'schedule', 'order'))
  t.notOk(may('shop', 'activities', 'schedule', 'pay'))
  t.notOk(may('other', 'workflows', 'schedule', 'pay'))
  t.ok(isAccessAllowed([], {caller: 'other', kind: 'workflows', operation: 'purge', name: 'x'}))
  t.notOk(isAccessAllowed(read('').policies, {caller: 'a', kind: 'workflows', operation: 'get', name: 'x'}), 'no rules')
})

t.test('a rule with requires, of a Dapr after 1.18, allows nothing, and says so', async t => {
  const gate = 'requires: [{eventType: activity.completed, name: check, appID: shop}]'
  const {policies, faults} = read(`
  rules:
  - callers: [{appID: shop}]
    workflows: [{name: pay, operations: [schedule], ${gate}}, {name: pay, operations: [get]}]
    activities: [{name: charge, ${gate}}]`)
  t.strictSame(faults, [
    'warning 7:63 | spec.rules[0].workflows[0].requires is not supported yet: this rule allows nothing',
    'warning 8:43 | spec.rules[0].activities[0].requires is not supported yet: this rule allows nothing'
  ])
  t.ok(isAccessAllowed(policies, {caller: 'shop', kind: 'workflows', operation: 'get', name: 'pay'}))
  t.notOk(isAccessAllowed(policies, {caller: 'shop', kind: 'workflows', operation: 'schedule', name: 'pay'}))
  t.notOk(isAccessAllowed(policies, {caller: 'shop', kind: 'activities', operation: 'schedule', name: 'charge'}))
})

t.test('a policy that the CRD would not let pass is left out, and says where', async t => {
  const faultsOf = (rule: string): readonly string[] => {
    const {policies, faults} = read(`\n  rules: [${rule}]`)
    t.strictSame(policies, [], rule)
    return faults
  }
  t.strictSame(faultsOf('{activities: [{name: a}]}'), [
    'warning 5:11 | spec.rules[0].callers: this WorkflowAccessPolicy is left out | expected a list of appID'
  ])
  t.strictSame(faultsOf('{callers: [{appID: a}]}'), [
    'warning 5:11 | spec.rules[0]: this WorkflowAccessPolicy is left out | expected workflows or activities'
  ])
  t.match(faultsOf('{callers: [{appID: a}], workflows: [{name: a, operations: [start]}]}'), [
    /^warning 5:\d+ \| spec.rules\[0\].workflows\[0\].operations: this .* \| expected schedule, terminate, raise/
  ])
  t.match(faultsOf('{callers: [{appID: a}], activities: [{}]}'), [/activities\[0\].name: .* \| expected a name/])
  t.match(read('\n  rulez: []').faults, [/unknown key spec.rulez/])
  t.match(read(RULE.replace('pay*', '"[pay"')).faults, [/workflows\[0\].name is no pattern/])
})

const fits = (pattern: string, ...names: string[]): boolean[] | undefined => {
  const glob = goGlob(pattern)
  return glob && names.map(name => glob(name))
}

t.test('patterns as Go reads them', async t => {
  t.strictSame(fits('a*', 'a', 'abc', 'a/b', 'ba'), [true, true, false, false])
  t.strictSame(fits('a?c', 'abc', 'ac', 'a/c', 'a😀c'), [true, false, false, true])
  t.strictSame(fits('[a-c_]x', 'bx', '_x', 'dx'), [true, true, false])
  t.strictSame(fits('[^a]', 'a', 'b'), [false, true])
  t.strictSame(fits(String.raw`a\*.b`, 'a*.b', 'aa.b', 'a*xb'), [true, false, false])
  t.strictSame(fits('', '', 'a'), [true, false])
  t.strictSame(fits('[z-a]', 'b'), [false], 'nothing lies between')
  t.strictSame(fits('*/b*', 'a/b', 'a/c/b', 'a/bc/d'), [true, false, false])
  t.strictSame(fits('*[^x]*b', 'acb', 'a/b'), [true, false], 'the nearest place for each part, as in Go')
  for (const none of ['[', '[]', 'a[b', '\\', '[a-b-c]', '[-a]']) t.equal(goGlob(none), undefined, none)
})

t.test('a pattern with many stars does not hold up a run', async t => {
  t.strictSame(fits(`${'*a'.repeat(30)}*b`, 'a'.repeat(5000)), [false])
})

t.test('the manual’s example', async t => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/workflows.md'), 'utf8')
  const [, text = ''] = /^```yaml\n(apiVersion:.*?)^```/ms.exec(page) ?? []
  const file = parseResourceFile({file: 'policy.yaml', text})
  t.match(readAccessPolicies(file), [{scopes: ['bank'], grants: {length: 2}}])
  t.strictSame(file.faults, [])
})
