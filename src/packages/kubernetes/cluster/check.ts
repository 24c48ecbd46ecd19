import {messageOf, UserError} from '../../../model/errors.ts'
import {inParallel} from '../../../platform/in-parallel.ts'
import {MANAGED_BY, objectsOf, TEMPLATE_LABEL, type KubernetesObject, type TemplateObjects} from '../object.ts'
import type {ClusterAccess} from './access.ts'
import {APPLY, isSame, objectKey, objectName, printedObjects, type LiveObject} from './live-object.ts'
import type {Pod} from './pod.ts'

/** The kinds that a template makes for its apps. */
export const APP_KINDS = ['deployments', 'jobs', 'services', 'secrets'] as const

/** Properties of a cluster that a run depends on. */
export interface ClusterFacts {
  /** Dapr's kinds: `components.dapr.io` … */
  readonly daprKinds: readonly string[]
  /** Whether an init container may keep running: by default from Kubernetes 1.29 on. */
  readonly hasNativeSidecars: boolean
}

/** Returns the names of Dapr's kinds in the cluster; none without Dapr. Rejects with a UserError. */
export async function daprKinds({kubectl}: ClusterAccess): Promise<readonly string[]> {
  const names = await kubectl.text(['api-resources', '--api-group=dapr.io', '-o', 'name'])
  return names.split('\n').filter(name => name !== '')
}

/** Reads what a run needs to know of a cluster. Rejects with a UserError if the cluster cannot be reached or has no Dapr. */
export async function readCluster(access: ClusterAccess): Promise<ClusterFacts> {
  const [kinds, version] = await Promise.all([daprKinds(access), access.kubectl.text(['get', '--raw', '/version'])])
  if (kinds.length === 0)
    throw new UserError(`Dapr is not installed in the cluster of the Kubernetes context "${access.context}"`, {
      explanation: "Install it with Dapr's own CLI (dapr init -k) or its Helm chart; nothing was deployed."
    })
  const {minor = ''} = JSON.parse(version) as {readonly minor?: string}
  // some servers write `29+`
  return {daprKinds: kinds, hasNativeSidecars: Number.parseInt(minor, 10) >= 29}
}

/** A change that a run makes to an object of the cluster. */
export interface Change {
  readonly object: KubernetesObject
  readonly outcome: 'created' | 'configured' | 'unchanged' | 'replaced'
}

/** The changes that a run would make. The API server has accepted all of them. */
export interface CheckedChanges {
  readonly changes: readonly Change[]
  /** Objects with our label that the template no longer has. */
  readonly surplus: readonly LiveObject[]
  /** Pods of an earlier run. */
  readonly pods: readonly Pod[]
}

/** Looks at each object and lets the server check each change, before anything is made. Rejects with a UserError. */
export async function checkObjects(
  access: ClusterAccess,
  {daprKinds: kinds}: ClusterFacts,
  objects: TemplateObjects
): Promise<CheckedChanges> {
  const {kubectl} = access
  const wanted = [...objects.resources.map(({object}) => object), ...objects.apps.flatMap(objectsOf)]
  const live = byKey(await printedObjects(kubectl, ['get', '-f', '-', '--ignore-not-found'], wanted))
  refuseForeign(wanted, live, access)
  const dryRun = [...APPLY, '--dry-run=server']
  const others = wanted.filter(object => !isJob(object))
  const results =
    others.length === 0 ? new Map<string, LiveObject>() : byKey(await tryOut(access, dryRun, others, objects))
  const replaced = new Set<string>()
  for (const job of wanted.filter(isJob))
    try {
      for (const [key, result] of byKey(await printedObjects(kubectl, dryRun, [job]))) results.set(key, result)
    } catch (error) {
      // the template of a Job is immutable: another one takes its place
      if (!live.has(objectKey(job)) || !(error instanceof UserError && error.message.includes('immutable'))) throw error
      replaced.add(objectKey(job))
    }
  const keys = new Set(wanted.map(objectKey))
  const args = ['get', [...APP_KINDS, 'pods', ...kinds].join(','), '-l', `${TEMPLATE_LABEL}=${objects.name}`]
  const ours = await printedObjects(kubectl, args)
  const outcomeOf = (object: KubernetesObject): Change['outcome'] => {
    const [before, after] = [live.get(objectKey(object)), results.get(objectKey(object))]
    if (before === undefined) return 'created'
    if (replaced.has(objectKey(object)) || hasFailed(before)) return 'replaced'
    return after !== undefined && isSame(before, after) ? 'unchanged' : 'configured'
  }
  return {
    changes: wanted.map(object => ({object, outcome: outcomeOf(object)})),
    surplus: ours.filter(object => !isPod(object) && !keys.has(objectKey(object))),
    pods: ours.filter(isPod) as readonly object[] as readonly Pod[]
  }
}

const isPod = ({kind}: KubernetesObject): boolean => kind === 'Pod'
const isJob = ({kind}: KubernetesObject): boolean => kind === 'Job'

/** Applies objects as a dry run. Rejects with a UserError that names each object with a mistake and its file. */
async function tryOut(
  {kubectl}: ClusterAccess,
  dryRun: readonly string[],
  all: readonly KubernetesObject[],
  {resources}: TemplateObjects
): Promise<readonly LiveObject[]> {
  try {
    return await printedObjects(kubectl, dryRun, all)
  } catch (error) {
    const faults = await inParallel(
      all,
      async object => {
        const file = resources.find(resource => resource.object === object)?.shownAs
        const place = file === undefined ? '' : ` (${file})`
        return printedObjects(kubectl, dryRun, [object]).then(
          () => [],
          (fault: unknown) => [`  ${objectName(object)}${place}: ${messageOf(fault)}`]
        )
      },
      4
    )
    const texts = faults.flat()
    if (texts.length === 0) throw error
    const count = texts.length === 1 ? '1 object has a mistake' : `${texts.length} objects have mistakes`
    throw new UserError(`the template cannot be deployed: ${count}`, {explanation: texts.join('\n')})
  }
}

/** Whether it is a Job that has failed, which never runs again by itself. */
const hasFailed = ({kind, status}: LiveObject): boolean =>
  kind === 'Job' && ((status as {readonly failed?: number} | undefined)?.failed ?? 0) > 0

const byKey = (objects: readonly LiveObject[]): Map<string, LiveObject> =>
  new Map(objects.map(object => [objectKey(object), object]))

/** Throws one UserError for all objects that exist and belong to another owner. */
function refuseForeign(
  wanted: readonly KubernetesObject[],
  live: ReadonlyMap<string, LiveObject>,
  {context, namespace}: ClusterAccess
): void {
  const texts = wanted.flatMap(object => {
    const there = live.get(objectKey(object))
    const other = there?.metadata.labels?.[TEMPLATE_LABEL]
    if (there === undefined || other === object.metadata.labels[TEMPLATE_LABEL]) return []
    const manager = there.metadata.labels?.[MANAGED_BY] ?? managerOf(there)
    const whose = other === undefined ? (manager === '' ? 'someone else' : `"${manager}"`) : `the template "${other}"`
    return `${objectName(there)} exists in the namespace "${namespace}" and belongs to ${whose}`
  })
  if (texts.length === 0) return
  throw new UserError(texts.join('\n'), {
    explanation: `Rename it in the template, choose another namespace with -n, or delete it with kubectl in the context "${context}".`
  })
}

/** Returns the writer of an object without label: `kubectl-client-side-apply`, `helm` …; '' if unknown. */
function managerOf({metadata: {managedFields = []}}: LiveObject): string {
  // an entry with a subresource is the cluster itself, which writes the status
  const {manager = ''} = managedFields.find(({subresource}) => subresource === undefined) ?? {}
  return manager === 'unknown' ? '' : manager
}
