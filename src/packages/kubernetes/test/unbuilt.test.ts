import {join} from 'node:path'
import t from 'tap'
import type {AppPlan} from '../../../model/plan.ts'
import {unbuiltIn} from '../images/build-images.ts'

t.test('of an app with several entries the first is built, as it is the one that is deployed', async t => {
  const folder = t.testdir({one: {Dockerfile: 'FROM scratch'}, two: {Dockerfile: 'FROM scratch'}})
  const app = (id: string, name: string, containerImage = '') =>
    ({id, folder: join(folder, name), command: [], elsewhere: {containerImage}}) as unknown as AppPlan
  const [stock, other, shop] = [app('stock', 'one'), app('stock', 'two'), app('shop', 'two')]
  t.strictSame(unbuiltIn([stock, other, stock, shop]), [stock, shop])
  t.strictSame(unbuiltIn([app('stock', 'one', 'test/stock:1'), other]), [])
})
