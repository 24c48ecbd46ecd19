import t from 'tap'
import {walkCluster} from '../days/kubernetes/walk.ts'
import {Cluster, skip} from './rig/cluster.ts'

t.test('what people do in any order with two templates in one namespace leaves what they deployed', {skip}, async t => {
  const cluster = await Cluster.open(t)
  for (const seed of [17, 18]) {
    const {faults, steps} = await walkCluster(cluster, {seed, steps: 40})
    t.same(faults, [], `seed ${seed}: ${steps.join('; ')}`)
  }
})
