import t from 'tap'
import type {AppPlan} from '../../../../../src/model/plan.ts'
import {fewDescriptors} from '../../../../../src/clients/cli/commands/run-hints.ts'

const apps = (count: number): {readonly apps: readonly AppPlan[]} => ({
  apps: Array.from({length: count}, (_, at) => ({id: `${at}`}) as unknown as AppPlan)
})

t.test('too few descriptors for the apps of a template are told at the start', async t => {
  t.match(fewDescriptors(apps(2), 64), [{code: 'few-descriptors', text: /have 64 .* for 2 apps: .*: ulimit -n 96$/}])
  t.same(fewDescriptors(apps(2), 128), [])
  t.match(fewDescriptors(apps(12), 128), [{text: /ulimit -n 256$/}])
  t.same(fewDescriptors(apps(100), Infinity), [])
})
