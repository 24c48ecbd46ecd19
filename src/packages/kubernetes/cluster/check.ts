import {messageOf, UserError} from '../../../model/errors.ts'
import {MANAGED_BY, objectsOf, TEMPLATE_LABEL, type KubernetesObject, type TemplateObjects} from '../object.ts'
import type {ClusterAccess} from './access.ts'

/** The kinds that a template makes for its apps. */
export const APP_KINDS = 'deployments,jobs,services,secrets'

/** Applies objects on the server, without force (https://kubernetes.io/docs/reference/using-api/server-side-apply/). */
export const APPLY = ['apply', '--server-side', '--field-manager=pillion', '-f', '-'] as const

const CHECK = '-pillion-check'
const MAX_NAME = 63

/** Objects as one text for kubectl. Of a list it would not name the wrong object. */
export const listText = (objects: readonly KubernetesObject[]): string =>
  objects.map(object => `${JSON.stringify(object)}\n`).join('')

/** All objects of a template, resources first. */
export const allObjects = ({resources, apps}: TemplateObjects): readonly KubernetesObject[] => [
  ...resources.map(({object}) => object),
  ...apps.flatMap(objectsOf)
]

const objectName = ({kind, metadata}: KubernetesObject): string => `${kind} "${metadata.name}"`

/** Properties of a cluster that a run depends on. */
export interface ClusterFacts {
  /** All kinds that a template makes, with those of Dapr: `components.dapr.io` … */
  readonly kinds: string
  /** Whether an init container may keep running: by default from Kubernetes 1.29 on. */
  readonly hasNativeSidecars: boolean
}

/** Returns the kinds that a template makes in a cluster; without Dapr those of its apps. Rejects with a UserError. */
export async function kindsIn({kubectl}: ClusterAccess): Promise<string> {
  const names = await kubectl.text(['api-resources', '--api-group=dapr.io', '-o', 'name'])
  return [APP_KINDS, ...names.split('\n')].filter(name => name !== '').join(',')
}

/** Reads what a run needs to know of a cluster. Rejects with a UserError if the cluster cannot be reached or has no Dapr. */
export async function readCluster(access: ClusterAccess): Promise<ClusterFacts> {
  const [kinds, version] = await Promise.all([kindsIn(access), access.kubectl.text(['get', '--raw', '/version'])])
  if (kinds === APP_KINDS)
    throw new UserError(`Dapr is not installed in the cluster of the Kubernetes context "${access.context}"`, {
      explanation: "Install it with Dapr's own CLI (dapr init -k) or its Helm chart; nothing was deployed."
    })
  const {minor = ''} = JSON.parse(version) as {readonly minor?: string}
  // some servers write `29+`
  return {kinds, hasNativeSidecars: Number.parseInt(minor, 10) >= 29}
}

/** The result of the API server's check of a template. */
export interface CheckedObjects {
  /** The lines of kubectl. */
  readonly text: string
  /** `deployment.apps/shop`: objects with our label that the template no longer has, and Jobs, which run again. */
  readonly surplus: readonly string[]
  /** Names of the pods of an earlier run. */
  readonly pods: readonly string[]
}

/** Looks at each object and lets the server check each change, before anything is made. Rejects with a UserError. */
export async function checkObjects(
  access: ClusterAccess,
  {kinds}: ClusterFacts,
  objects: TemplateObjects
): Promise<CheckedObjects> {
  const {kubectl} = access
  const wanted = allObjects(objects)
  // kubectl prints a list, one object, or nothing
  const printed = await kubectl.json<Partial<KubernetesObject> & {readonly items?: readonly KubernetesObject[]}>(
    ['get', '-f', '-', '--ignore-not-found'],
    {input: listText(wanted)}
  )
  const live = (printed.items ?? [printed as KubernetesObject]).filter(({kind}) => kind !== undefined)
  refuseForeign(live, objects.name, access)
  // the template of a Job that exists is immutable: the server checks another Job of the same contents
  const tried = wanted.map(object => (object.kind === 'Job' ? renamed(object) : object))
  const text = await kubectl.text([...APPLY, '--dry-run=server'], {input: listText(tried)}).catch((error: unknown) => {
    const files = objects.resources
      .filter(({object}) => messageOf(error).includes(object.metadata.name))
      .map(({object, shownAs}) => `${objectName(object)} is in ${shownAs}\n`)
    throw new UserError(messageOf(error), {
      explanation: `${files.join('')}The template cannot be deployed; nothing was created.`
    })
  })
  const known = new Set(text.split('\n').map(line => line.split(' ')[0]))
  const args = ['get', `${kinds},pods`, '-l', `${TEMPLATE_LABEL}=${objects.name}`, '-o', 'name']
  const ours = (await kubectl.text(args)).split('\n').filter(name => name !== '' && !known.has(name))
  const [surplus, pods] = [ours.filter(name => !name.startsWith('pod/')), ours.filter(name => name.startsWith('pod/'))]
  return {text: text.replaceAll(CHECK, ''), surplus, pods: pods.map(name => name.slice('pod/'.length))}
}

const renamed = (job: KubernetesObject): KubernetesObject => ({
  ...job,
  metadata: {...job.metadata, name: `${job.metadata.name.slice(0, MAX_NAME - CHECK.length)}${CHECK}`}
})

/** Throws one UserError for all objects that exist and belong to another owner. */
function refuseForeign(live: readonly KubernetesObject[], template: string, {context, namespace}: ClusterAccess): void {
  const texts = live.flatMap(object => {
    const labels: Readonly<Record<string, string | undefined>> = object.metadata.labels ?? {}
    const {[TEMPLATE_LABEL]: other, [MANAGED_BY]: manager} = labels
    if (other === template) return []
    const whose =
      other === undefined ? (manager === undefined ? 'someone else' : `"${manager}"`) : `the template "${other}"`
    return `${objectName(object)} exists in the namespace "${namespace}" and belongs to ${whose}`
  })
  if (texts.length === 0) return
  throw new UserError(texts.join('\n'), {
    explanation: `Rename it in the template, choose another namespace with -n, or delete it with kubectl in the context "${context}".`
  })
}
