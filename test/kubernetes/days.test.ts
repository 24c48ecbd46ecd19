import t from 'tap'
import {walkCluster} from '../days/kubernetes/walk.ts'
import {Cluster, skip} from './rig/cluster.ts'

t.test('what people do in any order with two templates in one namespace leaves what they deployed', {skip}, async t => {
  const cluster = await Cluster.open(t)
  const {faults, steps} = await walkCluster(cluster, {seed: 17, steps: 20})
  t.same(faults, [], steps.join('; '))
})
