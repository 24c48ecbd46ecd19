import {createTwoFilesPatch} from 'diff'
import {
  isSame,
  type Change,
  type CheckedChanges,
  objectName,
  type LiveObject,
  type KubernetesObject,
  yamlText
} from '#kubernetes'

/** `Deployment "shop" created (dry run)`: one line for each object. */
export function changesText({changes, surplus}: CheckedChanges): string {
  const all = [
    ...changes.map(change => `${objectName(change.object)} ${outcomeOf(change)}`),
    ...surplus.map(object => `${objectName(object)} deleted`)
  ]
  return all.map(line => `${line} (dry run)\n`).join('')
}

function outcomeOf({live, result, isReplaced}: Change): string {
  if (live === undefined) return 'created'
  if (isReplaced) return 'replaced'
  return isSame(live, result) ? 'unchanged' : 'configured'
}

/** The changes as a unified diff of YAML; '' if there are none. Values of Secrets are not shown. */
export function diffText({changes, surplus}: CheckedChanges): string {
  const parts = [
    ...changes.map(({object, live, result}) => patch(object, live, result)),
    ...surplus.map(object => patch(object, object, undefined))
  ]
  return parts.join('')
}

function patch(object: KubernetesObject, live: LiveObject | undefined, result: LiveObject | undefined): string {
  const name = `${object.kind.toLowerCase()}/${object.metadata.name}`
  const before = live === undefined ? '' : yamlText(shown(live, result, 'before'))
  const after = result === undefined ? '' : yamlText(shown(result, live, 'after'))
  if (before === after) return ''
  const names = [
    live === undefined ? '/dev/null' : `live/${name}`,
    result === undefined ? '/dev/null' : `template/${name}`
  ] as const
  return createTwoFilesPatch(...names, before, after).replace(/^=+\n/, '')
}

/** The fields that people write, without those that the server adds, and without what `kubectl apply` was given: of a Secret that has its values. */
function shown(object: LiveObject, other: LiveObject | undefined, which: 'before' | 'after'): KubernetesObject {
  const {status: _status, metadata, apiVersion, kind, ...others} = object
  const {name, namespace, labels, annotations = {}} = metadata
  const {
    'deployment.kubernetes.io/revision': _revision,
    'kubectl.kubernetes.io/last-applied-configuration': _applied,
    ...notes
  } = annotations
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace !== undefined && {namespace}),
      labels,
      ...(Object.keys(notes).length > 0 && {annotations: notes})
    },
    ...others,
    ...(kind === 'Secret' && {data: masked(object, other, which)})
  }
}

type Data = Readonly<Record<string, string>>

/** Which values of a Secret change, without the values. */
function masked(object: LiveObject, other: LiveObject | undefined, which: string): Data {
  const [data = {}, others = {}] = [object, other].map(each => each?.['data'] as Data | undefined)
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, value === others[key] ? '***' : `*** (${which})`])
  )
}
