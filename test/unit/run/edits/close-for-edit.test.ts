import t from 'tap'
import type {AppPlan} from '../../../../src/model/plan.ts'
import {closeForEdit} from '../../../../src/run/edits/close-for-edit.ts'
import type {AppCloser, EditedClose} from '../../../../src/run/apps/close-app.ts'
import type {AppRuntime} from '../../../../src/supervisor/app-runtime.ts'

const app = (id: string, version = ''): AppRuntime =>
  ({id, name: id, plan: {id, version, instance: 1} as unknown as AppPlan, ports: {}}) as unknown as AppRuntime

const calls = (caller: string, callee: string): boolean => caller === 'web' && callee === 'stock'

t.test('one that cannot be closed keeps no other one from being closed, and is told when all are', async t => {
  const closed: string[] = []
  const closer = {
    closeForEdit: async ({id}: AppRuntime, {callers, onDrained}: EditedClose) => {
      await callers
      if (id === 'web') throw new Error('web cannot be closed')
      onDrained()
      await new Promise(setImmediate)
      closed.push(id)
    }
  } as unknown as AppCloser
  const all = ['stock', 'web', 'other'].map(id => app(id))
  await t.rejects(closeForEdit(all, [], {closer, calls}, new Map()), {message: 'web cannot be closed'})
  t.same(closed.toSorted(), ['other', 'stock'])
})

t.test('one that several versions of an app call takes calls until each of them is drained', async t => {
  const drained: string[] = []
  const second = Promise.withResolvers<void>()
  const closer = {
    closeForEdit: async ({id, plan: {version}}: AppRuntime, {callers, onDrained}: EditedClose) => {
      await callers
      if (version === '2.0.0') await second.promise
      drained.push(id + version)
      onDrained()
    }
  } as unknown as AppCloser
  const closing = closeForEdit([app('stock'), app('web', '2.0.0'), app('web', '1.0.0')], [], {closer, calls}, new Map())
  await new Promise(setImmediate)
  t.same(drained, ['web1.0.0'], 'the other version still calls stock')
  second.resolve()
  await closing
  t.same(drained, ['web1.0.0', 'web2.0.0', 'stock'])
})
