import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {Random} from '../../fuzz/random.ts'
import {Shop, type Cluster} from '../../kubernetes/rig/cluster.ts'
import type {Live} from '../../kubernetes/rig/kube.ts'
import {Rig} from '../../rig/rig.ts'
import type {SeedWalk} from '../seeds.ts'
import {Team, type Entry} from './team.ts'

const PROGRAM = [process.execPath, join(import.meta.dirname, '../../../bin/pillion.js')]
const TEAMS = {shop: ['cart', 'mail', 'stock'], depot: ['gate', 'lorry', 'rack']} as const
/** A cluster follows within this time: pods are replaced one after the other. */
const PATIENCE_MS = 20_000

/**
 * Two templates in one namespace of a cluster, edited, run, killed and stopped in any order, while pods are deleted. After each step the
 * namespace holds exactly what the last runs deployed.
 */
export async function walkCluster(
  cluster: Cluster,
  {seed, steps}: {readonly seed: number; readonly steps: number}
): Promise<SeedWalk> {
  const random = new Random('kubernetes', seed)
  const namespace = await cluster.api.namespace()
  const kubeconfig = cluster.api.kubeconfig(namespace, {context: 'kind-test', namespace})
  const rigs: Rig[] = []
  const teams: Team[] = []
  const done: string[] = []
  try {
    for (const [name, ids] of Object.entries(TEAMS)) {
      const rig = new Rig(PROGRAM)
      rigs.push(rig)
      await rig.open()
      const team = new Team(name, new Shop(cluster, rig, {namespace, kubeconfig}), ids, random)
      await team.save()
      teams.push(team)
    }
    for (let step = 1; step <= steps; step++) {
      done.push(random.oneIn(6) ? await losePod(cluster, namespace, random) : await random.pick(teams).act())
      const faults = await settled(teams)
      if (faults.length > 0) return {faults, steps: done}
    }
    return {faults: [], steps: done}
  } catch (error) {
    return {
      faults: [`the walk itself failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`],
      steps: done
    }
  } finally {
    await Promise.all(teams.map(async team => team.close()))
    await Promise.all(rigs.map(async rig => rig.close(true)))
    await cluster.api.kube.ask('DELETE', `/api/v1/namespaces/${namespace}`)
  }
}

/** Somebody deletes a pod: its Deployment makes a new one. */
async function losePod(cluster: Cluster, namespace: string, random: Random): Promise<string> {
  const pods = [...cluster.kubelet.pods.values()].filter(
    ({object, isEnding}) => object.metadata.namespace === namespace && !isEnding
  )
  if (pods.length === 0) return 'lose a pod (there is none)'
  const pod = random.pick(pods)
  await cluster.api.kube.ask('DELETE', pod.path)
  return `lose a pod of ${pod.object.metadata.labels?.['app']}`
}

/** What is wrong once the cluster has come to rest. */
async function settled(teams: readonly Team[]): Promise<readonly string[]> {
  const complaints = teams.flatMap(team => team.complaints.map(text => `${team.name} complains: ${text}`))
  let faults: readonly string[] = []
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(50)) {
    faults = await wrongObjects(teams)
    if (faults.length === 0) break
  }
  return [...complaints, ...faults]
}

async function wrongObjects(teams: readonly Team[]): Promise<readonly string[]> {
  const [{shop}] = teams as readonly [Team]
  const [deployments, services, pods] = await Promise.all(
    ['apps/v1/deployments', 'v1/services', 'v1/pods'].map(async kind => shop.all(kind))
  )
  const ids = teams.flatMap(team => team.ids)
  const strangers = [...(deployments ?? []), ...(services ?? [])].filter(({metadata}) => !ids.includes(metadata.name))
  return [
    ...strangers.map(({metadata}) => `nobody has deployed ${metadata.name}`),
    ...teams.flatMap(team =>
      team.ids.flatMap(id => {
        const deployment = named(deployments, id)
        const hasService = named(services, id) !== undefined
        const running = (pods ?? []).filter(
          ({metadata}) => metadata.labels?.['app'] === id && metadata.deletionTimestamp === undefined
        ).length
        const wanted = team.may(id)
        const isRight =
          wanted.some(entry => isAsWritten(deployment, entry)) &&
          wanted.some(entry => hasService === (entry?.hasService ?? false)) &&
          running === (deployment?.spec.replicas ?? 0)
        const seen = `${describe(deployment)}, ${hasService ? 'a' : 'no'} Service, ${running} pods`
        return isRight
          ? []
          : [`${id}: ${seen}; wanted ${wanted.map(entry => JSON.stringify(entry) ?? 'nothing').join(' or ')}`]
      })
    )
  ]
}

const named = (objects: readonly Live[] | undefined, name: string): Live | undefined =>
  objects?.find(({metadata}) => metadata.name === name && metadata.deletionTimestamp === undefined)

const markOf = (deployment: Live): string | undefined =>
  deployment.spec.template?.spec.containers?.flatMap(({env = []}) => env).find(({name}) => name === 'MARK')?.value

const describe = (deployment: Live | undefined): string =>
  deployment === undefined
    ? 'no Deployment'
    : `a Deployment with mark ${markOf(deployment)}, ${deployment.spec.replicas} replicas`

/** A number of replicas that the template does not name stays what it was. */
function isAsWritten(deployment: Live | undefined, entry: Entry | undefined): boolean {
  if (deployment === undefined || entry === undefined) return deployment === entry
  const {replicas} = deployment.spec
  return markOf(deployment) === entry.mark.toString() && (entry.replicas === undefined || replicas === entry.replicas)
}
