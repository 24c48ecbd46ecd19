import {messageOf, UserError} from '../../../model/errors.ts'
import {MANAGED_BY, objectsOf, TEMPLATE_LABEL, type KubernetesObject, type TemplateObjects} from '../object.ts'
import type {Kubectl} from './kubectl.ts'

/** The kinds that a template makes for its apps. */
const APP_KINDS = 'deployments,jobs,services,secrets'
/** Applies objects on the server, without force (https://kubernetes.io/docs/reference/using-api/server-side-apply/). */
export const APPLY = ['apply', '--server-side', '--field-manager=pillion', '-f', '-'] as const

const OWNERS = [TEMPLATE_LABEL, MANAGED_BY].map(label => `:.metadata.labels.${label.replaceAll('.', '\\.')}`)
/** A line for each object: its kind, its name, its template, its manager. */
const OWNED = ['--no-headers', '-o', `custom-columns=:.kind,:.metadata.name,${OWNERS.join()}`]

const CHECK = '-pillion-check'
const MAX_NAME = 63

/** Returns objects as one text for kubectl, and not as a List, in which kubectl would not name the object with an error. */
export const listText = (objects: readonly KubernetesObject[]): string =>
  objects.map(object => `${JSON.stringify(object)}\n`).join('')

/** Returns the kinds that a template makes in a cluster; without Dapr those of its apps. Rejects with a UserError. */
export async function kindsIn(kubectl: Kubectl): Promise<string> {
  const names = await kubectl.text(['api-resources', '--api-group=dapr.io', '-o', 'name'])
  return [APP_KINDS, ...names.split('\n')].filter(name => name !== '').join(',')
}

/** Reads the kinds of a cluster, and whether an init container may keep running. Rejects with a UserError if the cluster has no Dapr. */
export async function readCluster(kubectl: Kubectl): Promise<{kinds: string; nativeSidecar: boolean}> {
  const kinds = await kindsIn(kubectl)
  if (kinds === APP_KINDS)
    throw new UserError(`Dapr is not installed in the cluster of the Kubernetes context "${kubectl.context}"`, {
      explanation: "Install it with Dapr's own CLI (dapr init -k) or its Helm chart; nothing was deployed."
    })
  const {minor} = JSON.parse(await kubectl.text(['get', '--raw', '/version'])) as {readonly minor: string}
  return {kinds, nativeSidecar: Number.parseInt(minor, 10) >= 29} // some servers write `29+`
}

/**
 * Looks at each object and lets the server check each change, before anything is made. Returns what to delete first (`deployment.apps/shop`):
 * objects with our label that the template no longer has, and Jobs, which run again. Rejects with a UserError.
 */
export async function checkObjects(
  kubectl: Kubectl,
  kinds: string,
  {name: template, resources, apps}: TemplateObjects
): Promise<readonly string[]> {
  const wanted = [...resources.map(({object}) => object), ...apps.flatMap(objectsOf)]
  const found = await kubectl.text(['get', '-f', '-', '--ignore-not-found', ...OWNED], {input: listText(wanted)})
  refuseForeign(found, template, kubectl)
  // the template of a Job that exists is immutable: the server checks another Job of the same contents
  const tried = wanted.map(object => (object.kind === 'Job' ? renamed(object) : object))
  const checked = await kubectl
    .text([...APPLY, '--dry-run=server'], {input: listText(tried)})
    .catch((error: unknown) => {
      const files = resources
        .filter(({object}) => messageOf(error).includes(object.metadata.name))
        .map(({object, shownAs}) => `${object.kind} "${object.metadata.name}" is in ${shownAs}\n`)
      throw new UserError(messageOf(error), {
        explanation: `${files.join('')}The template cannot be deployed; nothing was created.`
      })
    })
  const known = new Set(checked.split('\n').map(line => line.split(' ')[0]))
  const ours = await kubectl.text(['get', kinds, '-l', `${TEMPLATE_LABEL}=${template}`, '-o', 'name'])
  return ours.split('\n').filter(name => name !== '' && !known.has(name))
}

const renamed = (job: KubernetesObject): KubernetesObject => ({
  ...job,
  metadata: {...job.metadata, name: `${job.metadata.name.slice(0, MAX_NAME - CHECK.length)}${CHECK}`}
})

/** Throws one UserError for all objects that exist and belong to another owner. */
function refuseForeign(live: string, template: string, {context, namespace}: Kubectl): void {
  const texts = live.split('\n').flatMap(line => {
    const [kind = '', name, other, manager] = line.trim().split(/ +/)
    if (kind === '' || other === template) return []
    const whose =
      other !== '<none>' ? `the template "${other}"` : manager === '<none>' ? 'someone else' : `"${manager}"`
    return `${kind} "${name}" exists in the namespace "${namespace}" and belongs to ${whose}`
  })
  if (texts.length === 0) return
  throw new UserError(texts.join('\n'), {
    explanation: `Rename it in the template, choose another namespace with -n, or delete it with kubectl in the context "${context}".`
  })
}
