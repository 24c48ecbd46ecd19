import t from 'tap'
import {onlyThese} from '../../../src/run/selection.ts'
import type {AppPlan, Plan} from '../../../src/model/plan.ts'

const plan = (
  dependencies: Readonly<Record<string, readonly string[]>>,
  managerPort: Plan['managerPort'] = 'none'
): Plan => ({
  name: '',
  file: '/shop/dapr.yaml',
  shownAs: 'dapr.yaml',
  managerPort,
  apps: Object.entries(dependencies).map(
    ([id, on]) =>
      ({
        id,
        fixedPort: id === 'service' ? 8000 : 0,
        dependsOn: on.map(each => ({id: each, until: 'ready'}))
      }) as unknown as AppPlan
  )
})

const idsOf = ({apps}: Plan): readonly string[] => apps.map(({id}) => id)

t.test('what an app depends on comes along, directly or not, in the order of the template', async t => {
  const all = plan({page: ['shop'], db: [], shop: ['stock', 'db'], stock: ['db'], mail: []})
  t.same(idsOf(onlyThese(all, ['page'])), ['page', 'db', 'shop', 'stock'])
  t.same(idsOf(onlyThese(all, ['mail', 'db'])), ['db', 'mail'])
})

t.test('an id that no app has is refused, with what was probably meant', async t => {
  const all = plan({stock: [], shop: []})
  t.throws(() => onlyThese(all, ['stok']), {
    message: '--only names "stok", which is not an app of this template',
    explanation: 'Did you mean "stock"?',
    exitCode: 1
  })
  t.throws(() => onlyThese(all, ['']), {message: '--only names ""', explanation: 'The apps are: stock, shop'})
})

t.test("the manager's port goes with the last Daeploy service, unless the template gives it a port", async t => {
  t.equal(onlyThese(plan({service: [], shop: []}, 'usual'), ['shop']).managerPort, 'none')
  t.equal(onlyThese(plan({service: [], shop: []}, 'usual'), ['service']).managerPort, 'usual')
  t.equal(onlyThese(plan({service: [], shop: []}, 5080), ['shop']).managerPort, 5080)
})
