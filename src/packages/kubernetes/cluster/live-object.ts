import type {KubernetesObject} from '../object.ts'
import type {Kubectl} from './kubectl.ts'

/** An object as the API server has it. */
export interface LiveObject extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & {
    readonly uid: string
    readonly generation?: number
    readonly managedFields?: readonly {readonly manager?: string; readonly subresource?: string}[]
  }
}

/** `Deployment "shop"` */
export const objectName = ({kind, metadata}: Pick<KubernetesObject, 'kind' | 'metadata'>): string =>
  `${kind} "${metadata.name}"`

/** Identifies an object of a namespace, whatever the version of its kind. */
export const objectKey = ({apiVersion, kind, metadata}: KubernetesObject): string =>
  `${apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''}/${kind}/${metadata.name}`

/** Objects as one text for kubectl. */
export const listText = (objects: readonly KubernetesObject[]): string =>
  JSON.stringify({apiVersion: 'v1', kind: 'List', items: objects})

type Printed = LiveObject | {readonly kind?: string; readonly items?: readonly LiveObject[]}

/** Returns the objects that kubectl prints as JSON: a list, one object, or nothing. */
export async function printedObjects(
  kubectl: Kubectl,
  args: readonly string[],
  objects: readonly KubernetesObject[] = []
): Promise<readonly LiveObject[]> {
  const printed = await kubectl.json<Printed>(args, {input: objects.length === 0 ? '' : listText(objects)})
  if ('items' in printed) return printed.items as readonly LiveObject[]
  return printed.kind === undefined ? [] : [printed as LiveObject]
}

/** Applies objects on the server, without force (https://kubernetes.io/docs/reference/using-api/server-side-apply/). */
export const APPLY = ['apply', '--server-side', '--field-manager=pillion', '-f', '-'] as const

/** Whether nothing was written, except by the cluster itself. */
export const isSame = (before: LiveObject, after: LiveObject): boolean => writtenIn(before) === writtenIn(after)

function writtenIn({status: _status, metadata: {labels, annotations}, ...others}: LiveObject): string {
  const {'deployment.kubernetes.io/revision': _revision, ...own} = annotations ?? {}
  return JSON.stringify([others, labels, own])
}
