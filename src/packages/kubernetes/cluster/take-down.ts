import {setTimeout as sleep} from 'node:timers/promises'
import {messageOf, UserError} from '../../../model/errors.ts'
import {stopLevels} from '../../../supervisor/order/stop-order.ts'
import type {AppPlan} from '../../../model/plan.ts'
import type {KubernetesObject} from '../object.ts'
import {ClusterError} from './api-error.ts'
import {findAll, throwAll} from './check.ts'
import {orAborted, within} from '../../../platform/delay.ts'
import {inParallel} from '../../../platform/in-parallel.ts'
import {objectName, type LiveObject, type ObjectStore} from './object-store.ts'
import type {Pod} from './pod.ts'
import {watch} from './watch.ts'

export interface TakeDownOptions {
  readonly store: ObjectStore
  /** Which objects: `pillion/template=shop`. */
  readonly labels: string
  /** The apps of the template, for their order; others go first. */
  readonly apps: readonly Pick<AppPlan, 'id' | 'dependsOn'>[]
  /** Aborted: all at once, and nothing is waited for. */
  readonly now: AbortSignal
  /** Objects of one app, or of none (''), are being deleted. */
  readonly onDelete: (id: string, objects: readonly KubernetesObject[]) => void
  /** Hears once of objects that cannot be deleted: which, and why; and of a server that does not answer. */
  readonly onWait: (text: string) => void
}

/** Beyond the grace of its pods a cluster has this long to let them go. */
const EXTRA_MS = 30_000
const DEFAULT_GRACE_S = 30
/** A deleted object disappears at once, unless it has a finalizer: clouds add one to free a load balancer. */
const OBJECT_MS = 60_000
/** After this time it is said what is waited for. */
const SAID_MS = 2000
const INTERVAL_MS = 200
/** A run that is still at its start makes objects meanwhile: they go, too. What comes again and again has another owner. */
const ROUNDS = 4

/**
 * Deletes what the labels select: dependents first, then what they need once their pods are gone, and resources last. What cannot be
 * deleted keeps none of the others. Returns the number of objects. Rejects with a `UserError` that names what does not go.
 */
export async function takeDown(options: TakeDownOptions): Promise<number> {
  const {store, labels, apps, now} = options
  const all = await findAll(store, labels)
  if (all.length === 0) return 0
  const end = new AbortController()
  const pods = await watchPods(options, end.signal)
  const known = stopLevels(apps.map(({id, dependsOn}) => ({plan: {id, dependsOn}}))).map(level =>
    level.map(({plan}) => plan.id)
  )
  const faults: UserError[] = []
  let count = 0
  try {
    let left = all
    for (let round = 0; left.length > 0 && round < ROUNDS; round++) {
      count += left.length
      const unknown = [...new Set(left.map(appOf))].filter(id => id !== '' && !known.flat().includes(id))
      for (const level of [unknown, ...known]) {
        const ofLevel = left.filter(object => level.includes(appOf(object)))
        const owners = pods.owners()
        const kept = (await deleteAll(options, ofLevel, faults)).map(appOf)
        const going = level.filter(id => !kept.includes(id))
        faults.push(...(await pods.gone(going, owners)))
      }
      const resources = left.filter(object => appOf(object) === '')
      await deleteAll(options, resources, faults)
      if (faults.length > 0 || now.aborted) break
      left = (await findAll(store, labels)).filter(({metadata}) => metadata.deletionTimestamp === undefined)
    }
    if (faults.length === 0) await allGone(options)
  } finally {
    end.abort()
  }
  throwAll(faults, () => notAll(store))
  return count
}

const notAll = ({namespace}: ObjectStore): string => `not everything is gone from the namespace "${namespace}"`

const appOf = ({apiVersion, metadata}: KubernetesObject): string =>
  apiVersion.startsWith('dapr.io/') ? '' : (metadata.labels['app'] ?? '')

/** Returns those that the server refuses to delete; why is among `faults` then. */
async function deleteAll(
  {store, onDelete}: TakeDownOptions,
  objects: readonly LiveObject[],
  faults: UserError[]
): Promise<readonly LiveObject[]> {
  for (const [id, of] of Map.groupBy(objects, appOf)) onDelete(id, of)
  const kept = await inParallel(objects, async object => {
    try {
      await store.delete(object)
      return []
    } catch (error) {
      if (!(error instanceof UserError && error.cause instanceof ClusterError)) throw error // else it cannot be asked
      faults.push(error)
      return [object]
    }
  })
  return kept.flat()
}

/**
 * Settles when the pods of these workloads are gone, which another client has deleted: until then they may print; and when all else is
 * gone, too. A `stop` elsewhere deletes it; if the workloads were deleted by hand, a warning names what is left.
 */
export async function podsGone(options: TakeDownOptions): Promise<void> {
  const {store, labels, apps} = options
  const end = new AbortController()
  const ours = new Set((await findAll(store, labels)).map(({metadata}) => metadata.uid))
  const pods = await watchPods(options, end.signal)
  const ids = apps.map(({id}) => id)
  throwAll(await pods.gone(ids, pods.owners()).finally(() => end.abort()), () => notAll(store))
  await allGone(options, ours)
}

interface Spec {
  readonly terminationGracePeriodSeconds?: number
  readonly template?: {readonly spec?: Spec}
}

const graceOf = ({template, terminationGracePeriodSeconds = DEFAULT_GRACE_S}: Spec = {}): number =>
  template === undefined ? terminationGracePeriodSeconds : graceOf(template.spec)

/** The longest time that one of these pods, or a pod of these workloads, may take to be gone, in ms. */
export const patienceFor = (all: readonly {readonly metadata: unknown; readonly spec?: unknown}[]): number =>
  Math.max(0, ...all.map(({spec}) => graceOf(spec as Spec))) * 1000 + EXTRA_MS

/** A ReplicaSet or a Job, which may still bring a pod; one without counts as its own. */
const ownerOf = ({metadata: {uid, ownerReferences}}: Pod): string => ownerReferences?.[0]?.uid ?? uid

/** Those that pods have now tell them from the pods of another run, which may begin meanwhile. `gone` settles when no pod of these apps and owners is left, or with the error that they do not go. */
async function watchPods({store, labels, now, onWait}: TakeDownOptions, signal: AbortSignal) {
  const left = new Map<string, Pod>()
  let look: (() => void) | undefined
  await watch<Pod>(
    store.client,
    {path: store.pods, labels, signal},
    {
      changed: pod => void left.set(pod.metadata.uid, pod),
      gone: pod => {
        left.delete(pod.metadata.uid)
        look?.()
      },
      troubled: error => {
        if (error !== undefined) onWait(`waiting for the API server, still trying: ${messageOf(error)}`)
      }
    }
  )
  const gone = async (ids: readonly string[], owners: ReadonlySet<string>) => {
    const those = (): readonly Pod[] =>
      [...left.values()].filter(pod => ids.includes(pod.metadata.labels?.['app'] ?? '') && owners.has(ownerOf(pod)))
    const {promise, resolve} = Promise.withResolvers<void>()
    look = () => {
      if (those().length === 0) resolve()
    }
    look()
    await within(patienceFor(those()), orAborted(now, promise))
    const names = those().map(({metadata}) => metadata.name)
    if (now.aborted || names.length === 0) return []
    const {namespace, context} = store.client.access
    return [
      new UserError(`pods do not terminate: ${names.join(', ')}`, {
        explanation: `Look at: kubectl describe pod ${names[0] ?? ''} -n ${namespace} --context ${context}`
      })
    ]
  }
  return {owners: () => new Set([...left.values()].map(ownerOf)), gone}
}

/** `ours`: the ids of those that are waited for where another client deletes them; undefined: all. */
async function allGone({store, labels, now, onWait}: TakeDownOptions, ours?: ReadonlySet<string>): Promise<void> {
  const startedAt = performance.now()
  let isSaid = false
  while (!now.aborted) {
    const left = (await findAll(store, labels)).filter(({metadata}) => ours?.has(metadata.uid) ?? true)
    if (left.length === 0) return
    const elapsed = performance.now() - startedAt
    const kept = left.map(keptText)
    if (elapsed > OBJECT_MS) throw new UserError(notAll(store), {explanation: kept.map(text => `  ${text}`).join('\n')})
    if (elapsed > SAID_MS && !isSaid) {
      isSaid = true
      onWait(`waiting until it is gone: ${kept.join('; ')}${ours === undefined ? '' : ' (stop -k deletes it)'}`)
    }
    await sleep(INTERVAL_MS)
  }
}

/** The name of an object that is being deleted, and what keeps it. */
export function keptText(object: LiveObject): string {
  const {finalizers = []} = object.metadata
  return `${objectName(object)}${finalizers.length === 0 ? '' : `, which a finalizer keeps: ${finalizers.join(', ')}`}`
}
