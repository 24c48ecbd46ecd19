import {mock} from 'node:test'
import t from 'tap'
import {AppComponents} from '../../../../src/dapr/components/app-components.ts'
import type {ComponentSet, Use, WantedComponent} from '../../../../src/dapr/components/component-set.ts'
import {componentResource} from '../../../rig/component-resource.ts'

t.test('a component whose server does not answer when it is closed holds up no change', async t => {
  const leaving = Promise.withResolvers<void>()
  const use = async ({properties}: WantedComponent): Promise<Use> => {
    const value = properties[0]?.value ?? ''
    return {
      component: {capabilities: [value]},
      release: async () => {
        leaving.resolve()
        if (value === '1') await new Promise(() => undefined)
      }
    }
  }
  const set = {
    use,
    opened: () => undefined,
    isReplayed: () => false,
    checkServer: async () => undefined,
    isServedByApp: () => false,
    space: async () => '',
    movedPorts: new Map()
  } as unknown as ComponentSet
  const own = new AppComponents({appId: 'shop', folder: '/', env: {}, set, log: () => undefined})
  t.teardown(async () => own.close())
  const save = async (value: string) => own.follow([componentResource('store', 'state.in-memory', {value})])
  await save('1')
  mock.timers.enable({apis: ['setTimeout']})
  t.teardown(() => mock.timers.reset())
  const saving = save('2')
  await leaving.promise
  mock.timers.tick(60_000)
  await saving
  t.same(own.capabilitiesOf('store'), ['2'])
})
