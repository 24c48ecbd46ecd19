import {messageOf, UserError} from '../../../model/errors.ts'
import {MANAGED_BY, objectsOf, TEMPLATE_LABEL, type KubernetesObject, type TemplateObjects} from '../object.ts'
import {isStatus} from './api-error.ts'
import type {ClusterClient} from './api-client.ts'
import {inParallel} from '../../../platform/in-parallel.ts'
import {objectName, type LiveObject, type ObjectStore} from './object-store.ts'

/** One object of a template, as the cluster has it and as it will be. */
export interface Change {
  readonly object: KubernetesObject
  /** Undefined: it is made. */
  readonly live: LiveObject | undefined
  /** The object as the API server would store it; the same version as `live` if nothing changes. */
  readonly result: LiveObject
  /** A Job cannot be changed: it is deleted and created again. */
  readonly isReplaced: boolean
}

/** The changes that a run would make; the API server has accepted all of them. */
export interface CheckedChanges {
  readonly changes: readonly Change[]
  /** Objects of our label that the template does not have any more. */
  readonly surplus: readonly LiveObject[]
}

/** Identifies an object, whatever the version of its kind. */
export const objectKey = ({apiVersion, kind, metadata}: KubernetesObject): string =>
  `${apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''}/${kind}/${metadata.name}`

/** The namespace must exist. Throws a `UserError`. */
export async function requireNamespace(client: ClusterClient): Promise<void> {
  const {namespace, context} = client.access
  try {
    await client.json('GET', `/api/v1/namespaces/${encodeURIComponent(namespace)}`)
  } catch (error) {
    // a user who may not read namespaces may still work in one
    if (isStatus(error, 403)) return
    if (!isStatus(error, 404)) throw error
    throw new UserError(`there is no namespace "${namespace}" in the Kubernetes context "${context}"`, {
      explanation: `Make it: kubectl create namespace ${namespace} --context ${context}`
    })
  }
}

/** Dapr must be installed. Throws a `UserError`. */
export async function requireDapr(store: ObjectStore): Promise<void> {
  if (await store.lookUpDapr()) return
  const {context} = store.client.access
  throw new UserError(`Dapr is not installed in the cluster of the Kubernetes context "${context}"`, {
    explanation: "Install it with Dapr's own CLI (dapr init -k) or its Helm chart; nothing was deployed."
  })
}

/** The permissions that a run needs besides applying objects, which their dry-run checks. */
const NEEDED = [
  {group: 'apps', resource: 'deployments', verb: 'watch'},
  {group: 'apps', resource: 'deployments', verb: 'delete'},
  {group: '', resource: 'pods', verb: 'watch'},
  {group: '', resource: 'pods', subresource: 'log', verb: 'get'}
] as const

/** Throws a `UserError` that names all rights that a run needs and the user lacks. */
export async function requireRights(client: ClusterClient): Promise<void> {
  const {namespace, context} = client.access
  const answers = await Promise.all(
    NEEDED.map(async attributes =>
      client.json<{readonly status?: {readonly allowed?: boolean}}>(
        'POST',
        '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        {
          body: {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SelfSubjectAccessReview',
            spec: {resourceAttributes: {namespace, ...attributes}}
          }
        }
      )
    )
  )
  const lacking = NEEDED.filter((_, i) => answers[i]?.status?.allowed !== true)
  if (lacking.length === 0) return
  const all = lacking.map(need => `${need.verb} ${need.resource}${'subresource' in need ? `/${need.subresource}` : ''}`)
  throw new UserError(`you lack rights in the namespace "${namespace}" of the Kubernetes context "${context}"`, {
    explanation: `A run needs to: ${all.join(', ')}. Ask who manages the cluster.`
  })
}

/** Looks up every object, and has the server check every change, before anything is made. Throws one `UserError` for all faults. */
export async function checkObjects(store: ObjectStore, objects: TemplateObjects): Promise<CheckedChanges> {
  const wanted = [
    ...objects.resources.map(({object, shownAs}) => ({object, shownAs})),
    ...objects.apps.flatMap(app => objectsOf(app).map(object => ({object, shownAs: `app "${app.id}"`})))
  ]
  const found = await inParallel(wanted, async ({object}) => store.find(object))
  const others = wanted.flatMap(({object}, index) => foreign(found[index], object, store) ?? [])
  throwAll(others, notDeployable)
  const faults: UserError[] = []
  const changes = await inParallel([...wanted.entries()], async ([index, {object, shownAs}]) => {
    try {
      return await tryOut(store, object, found[index])
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      faults.push(new UserError(`${error.message} (${shownAs})`, {explanation: error.explanation}))
      return []
    }
  })
  throwAll(faults, notDeployable)
  const keys = new Set(wanted.map(({object}) => objectKey(object)))
  const all = await findAll(store, `${TEMPLATE_LABEL}=${objects.name}`)
  return {changes: changes.flat(), surplus: all.filter(live => !keys.has(objectKey(live)))}
}

async function tryOut(store: ObjectStore, object: KubernetesObject, live: LiveObject | undefined): Promise<Change> {
  try {
    return {object, live, result: await store.apply(object, {dryRun: true}), isReplaced: false}
  } catch (error) {
    const isFixed = object.kind === 'Job' && live !== undefined && error instanceof UserError
    if (!isFixed || !isStatus(error.cause, 422) || !/immutable/.test(error.explanation)) throw error
    return {object, live, result: live, isReplaced: true}
  }
}

/** All objects with our labels, each once, also if a kind has several versions. */
export async function findAll(store: ObjectStore, labels: string): Promise<readonly LiveObject[]> {
  const lists = await inParallel(store.kinds, async kind => store.list(kind, labels))
  return [...new Map(lists.flat().map(live => [live.metadata.uid, live])).values()]
}

/** Why an object is not applied over one that is there, which belongs to someone else; undefined: nothing is in its way. */
export function foreign(
  live: LiveObject | undefined,
  {metadata: {labels}}: KubernetesObject,
  {client: {access}}: ObjectStore
): UserError | undefined {
  const other = live?.metadata.labels?.[TEMPLATE_LABEL]
  if (live === undefined || other === labels[TEMPLATE_LABEL]) return undefined
  const {context, namespace} = access
  const manager = live.metadata.labels?.[MANAGED_BY] ?? managerOf(live)
  const whose = other === undefined ? (manager === '' ? 'someone else' : `"${manager}"`) : `the template "${other}"`
  return new UserError(`${objectName(live)} exists in the namespace "${namespace}" and belongs to ${whose}`, {
    explanation: `Rename it in the template, choose another namespace with -n, or delete it: kubectl delete ${live.kind.toLowerCase()} ${live.metadata.name} -n ${namespace} --context ${context}`
  })
}

/** The writer of an object that has no label: `kubectl-client-side-apply`, `helm` … */
function managerOf({metadata}: LiveObject): string {
  // one with a subresource is the cluster itself, which writes its status
  const {managedFields = []} = metadata as {managedFields?: readonly {manager?: string; subresource?: string}[]}
  const {manager = ''} = managedFields.find(({subresource}) => subresource === undefined) ?? {}
  return manager === 'unknown' ? '' : manager
}

const notDeployable = (count: number): string => `the template cannot be deployed: ${count} objects have mistakes`

/** Throws one error for all. `what`: what they mean together, if there are several. */
export function throwAll(faults: readonly UserError[], what: (count: number) => string): void {
  const [fault, ...others] = faults
  if (fault === undefined) return
  if (others.length === 0) throw fault
  const text = faults.map(
    each =>
      `  ${messageOf(each)}${each.explanation === '' ? '' : `\n    ${each.explanation.replaceAll('\n', '\n    ')}`}`
  )
  throw new UserError(what(faults.length), {explanation: text.join('\n')})
}

/** Whether an init container may keep running while the others do: by default from 1.29 on. The first question to the server: rejects if it cannot be reached. */
export async function hasNativeSidecars(client: ClusterClient): Promise<boolean> {
  const version = await client.json<{readonly major?: string; readonly minor?: string} | null>('GET', '/version')
  const {major, minor = ''} = version ?? {}
  return Number(major) > 1 || Number.parseInt(minor, 10) >= 29 // some say `29+`
}
