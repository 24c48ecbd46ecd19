import {Cluster} from '../../kubernetes/rig/cluster.ts'
import {walkSeeds, type Seeds} from '../seeds.ts'
import {walkCluster} from './walk.ts'

/** Walks on one API server, which is built first where it is not there yet (`test/kubernetes/build.ts`). */
export async function walkClusters(seeds: Seeds): Promise<void> {
  const cluster = await Cluster.start()
  await walkSeeds(seeds, 'cluster', async one => walkCluster(cluster, one))
  await cluster.close()
}
