import {Cluster} from '../../kubernetes/rig/cluster.ts'
import {walkCluster} from './walk.ts'

/** Walks of these seeds on one API server, which is built first where it is not there yet (`test/kubernetes/build.ts`). */
export async function walkClusters({
  seed: first,
  seeds,
  steps
}: {
  readonly seed: number
  readonly seeds: number
  readonly steps: number
}): Promise<void> {
  const cluster = await Cluster.start()
  for (let seed = first; seed < first + seeds; seed++) {
    const {faults, steps: done} = await walkCluster(cluster, {seed, steps})
    console.log(`cluster walk ${seed}, ${steps} steps: ${faults.length === 0 ? 'as it must be' : 'not as it must be'}`)
    if (faults.length === 0) continue
    process.exitCode = 1
    console.log(`${done.join('\n')}\n${faults.map(fault => `✗ ${fault}`).join('\n')}\n`)
  }
  await cluster.close()
}
