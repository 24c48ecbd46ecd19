import t from 'tap'
import {editText, editedAtStart, effectOf, planChanges} from '../../../../src/run/edits/plan-diff.ts'
import type {AppPlan, Plan} from '../../../../src/model/plan.ts'
import {planOf} from '../../../rig/plan.ts'

const plan = (...apps: readonly AppPlan[]): Plan => ({
  name: '',
  file: '/t/dapr.yaml',
  shownAs: 'dapr.yaml',
  managerPort: 'none',
  apps
})
const app = (id: string, wishes: Partial<AppPlan> = {}): AppPlan => planOf({id, command: ['node', id], ...wishes})

const ids = (apps: readonly AppPlan[]): readonly string[] => apps.map(({id}) => id)

t.test('an edit that says the same, or in another order, changes nothing', async t => {
  t.same(planChanges(plan(app('a'), app('b')), plan(app('b'), app('a'))), {
    added: [],
    removed: [],
    changed: [],
    atStart: []
  })
})

const top = (atStart: Plan['atStart']): Plan => ({...plan(app('a')), ...(atStart && {atStart})})

t.test('what a run takes at its start: added, changed, taken back', async t => {
  const [none, edited, other] = [top(undefined), top({catchUp: 'all'}), top({catchUp: 'all', faults: [{rate: 1}]})]
  const said = (before: Plan, after: Plan): string => editText(before, after, editedAtStart(none, after))
  t.equal(said(none, edited), 'edit of the template: from the next start on: catchUp')
  t.equal(said(edited, top({catchUp: 'all'})), '')
  t.equal(said(edited, other), 'edit of the template: from the next start on: faults')
  t.equal(said(other, none), 'edit of the template: again as in this run: catchUp, faults')
  t.equal(
    said(other, {...top({faults: []}), apps: []}),
    'edit of the template: removed a; from the next start on: faults; again as in this run: catchUp'
  )
})

const textOf = (before: Plan, after: Plan): string => editText(before, after, []).replace('edit of the template: ', '')

t.test('what an edit does, in its own words', async t => {
  const [one, two, three] = [app('a'), app('a', {instance: 2}), app('a', {instance: 3})]
  t.equal(textOf(plan(one), plan(one, two, three)), 'a has 3 replicas (1 before)')
  t.equal(textOf(plan(one, two, app('b')), plan(one)), 'a has 1 replica (2 before); removed b')
  t.equal(textOf(plan(one), plan(one, app('a', {version: '2.0.0'}))), 'added a')
  const without = {...plan(one), leftOut: [app('parrot')]}
  t.equal(textOf(plan(one, app('parrot')), without), 'left out by a profile: parrot')
  t.equal(textOf(without, plan(one, app('parrot'), app('n'))), 'added n; brought in by a profile: parrot')
  t.equal(textOf(plan(one, app('parrot')), plan(one)), 'removed parrot')
})

t.test('apps that came, went, and run otherwise', async t => {
  const changes = planChanges(plan(app('a'), app('b'), app('c')), plan(app('a'), app('n'), app('c', {env: {A: '1'}})))
  t.same([ids(changes.added), ids(changes.removed)], [['n'], ['b']])
  t.same(
    changes.changed.map(({id, env}) => [id, env]),
    [['c', {A: '1'}]]
  )
})

t.test('apps that share an id are told apart by version and instance', async t => {
  const second = (n: string): AppPlan => app('a', {instance: 2, env: {N: n}})
  const newer = app('a', {version: '2.0.0'})
  const {added, removed, changed} = planChanges(plan(app('a'), second('2'), newer), plan(second('3'), newer))
  t.same([ids(added), removed.map(({instance}) => instance)], [[], [1]])
  t.same(
    changed.map(({env}) => env),
    [{N: '3'}]
  )
})

t.test('two apps that exchange their ids are both changed', async t => {
  const {added, removed, changed} = planChanges(
    plan(app('a', {folder: '/x'}), app('b', {folder: '/y'})),
    plan(app('b', {folder: '/x'}), app('a', {folder: '/y'}))
  )
  t.same([added, removed, ids(changed)], [[], [], ['b', 'a']])
})

t.test('an edit replaces what it has to', async t => {
  const a = app('a')
  const effects: readonly (readonly [Partial<AppPlan>, string])[] = [
    [{}, 'nothing'],
    [{watch: {paths: ['**'], ignore: [], honoursGitignore: true}}, 'nothing'],
    [{envFiles: ['/t/.env']}, 'nothing'],
    [{profiles: ['full']}, 'nothing'],
    [{elsewhere: {...a.elsewhere, containerImage: 'shop'}}, 'nothing'],
    [{env: {A: '1'}}, 'process'],
    [{command: ['node', 'b']}, 'process'],
    [{folder: '/elsewhere'}, 'process'],
    [{stop: {...a.stop, timeoutMs: 1}}, 'process'],
    [{command: []}, 'all'],
    [{sidecar: {...a.sidecar, httpPort: 3500}}, 'all'],
    [{channel: {...a.channel, port: 8080}}, 'all'],
    [{dependsOn: [{id: 'b', until: 'ready'}]}, 'all']
  ]
  for (const [change, effect] of effects) t.equal(effectOf(a, app('a', change)), effect, JSON.stringify(change))
})
