import t from 'tap'
import {planChanges} from '../../../../src/supervisor/reload/plan-diff.ts'
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

t.test('an edit that says the same changes nothing', async t => {
  t.same(planChanges(plan(app('a'), app('b')), plan(app('b'), app('a'))), {added: [], removed: [], changed: []})
})

t.test('apps that came, went, and run otherwise', async t => {
  const changes = planChanges(plan(app('a'), app('b'), app('c')), plan(app('a'), app('n'), app('c', {env: {A: '1'}})))
  t.same(
    changes.added.map(({plan: {id}, index}) => [id, index]),
    [['n', 1]]
  )
  t.same(
    changes.removed.map(({id}) => id),
    ['b']
  )
  t.same(
    changes.changed.map(({before, after}) => [before.env, after.env]),
    [[{}, {A: '1'}]]
  )
})

t.test('an app whose sidecar is another one goes and comes anew', async t => {
  const sidecar = {...app('a').sidecar, httpPort: 3500}
  const {added, removed, changed} = planChanges(plan(app('a')), plan(app('a', {sidecar})))
  t.same([added.length, removed.length, changed.length], [1, 1, 0])
})

t.test('apps that share an id are told apart by their order', async t => {
  const {added, removed, changed} = planChanges(
    plan(app('a'), app('a', {env: {N: '2'}})),
    plan(app('a'), app('a', {env: {N: '3'}}))
  )
  t.same([added.length, removed.length, changed.map(({after}) => after.env)], [0, 0, [{N: '3'}]])
})
