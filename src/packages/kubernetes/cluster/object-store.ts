import {UserError} from '../../../model/errors.ts'
import {MANAGER, type KubernetesObject} from '../object.ts'
import type {ClusterClient} from './api-client.ts'
import {asUserError, isStatus} from './api-error.ts'
import {inParallel} from '../../../platform/in-parallel.ts'

/** An object as the API server has it. */
export interface LiveObject extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & {
    readonly uid: string
    readonly resourceVersion: string
    readonly generation?: number
    readonly creationTimestamp: string
    readonly deletionTimestamp?: string
    readonly finalizers?: readonly string[]
  }
}

/** Whether one state of an object, or of another one of its name, is older. The versions of one kind are numbers that only grow. */
export const isOlder = ({metadata: one}: LiveObject, {metadata: other}: LiveObject): boolean =>
  Number(one.resourceVersion) < Number(other.resourceVersion)

/** The API groups of a template's kinds; those of Dapr are looked up in the cluster. */
const PLURALS: Readonly<Record<string, string>> = {
  'v1/Secret': 'secrets',
  'v1/Service': 'services',
  'apps/v1/Deployment': 'deployments',
  'batch/v1/Job': 'jobs'
}
const DAPR_GROUP = 'dapr.io'

interface ResourceList {
  readonly resources: readonly {readonly name?: unknown; readonly kind?: string; readonly namespaced?: boolean}[]
}

/** `Deployment "shop"` */
export const objectName = ({kind, metadata}: Pick<KubernetesObject, 'kind' | 'metadata'>): string =>
  `${kind} "${metadata.name}"`

/** Reads and writes the objects of one namespace. */
export class ObjectStore {
  readonly client: ClusterClient
  readonly #plurals = new Map(Object.entries(PLURALS))
  /** What is looked for by its name where its kind may not be listed. */
  readonly expected: KubernetesObject[] = []
  /** Kinds of which it is not known what is there: they may not be listed, and what is expected of them may not be read. */
  readonly hidden = new Set<string>()

  constructor(client: ClusterClient) {
    this.client = client
  }

  get namespace(): string {
    return this.client.access.namespace
  }

  /** Looks up which of Dapr's kinds the cluster knows. Returns false if it knows none: Dapr is not installed. */
  async lookUpDapr(): Promise<boolean> {
    try {
      const {versions} = await this.client.json<{readonly versions: readonly {readonly groupVersion: string}[]}>(
        'GET',
        `/apis/${DAPR_GROUP}`,
        {needs: 'versions'}
      )
      await Promise.all(versions.map(async ({groupVersion}) => this.#lookUp(groupVersion)))
      return this.#plurals.has(`${DAPR_GROUP}/v1alpha1/Component`)
    } catch (error) {
      if (isStatus(error, 404)) return false
      throw this.#asUserError(error, "Dapr's resource definitions")
    }
  }

  async #lookUp(groupVersion: string): Promise<void> {
    const {resources} = await this.client.json<ResourceList>('GET', `/apis/${groupVersion}`, {needs: 'resources'})
    for (const {name, kind} of resources)
      if (typeof name === 'string' && !name.includes('/')) this.#plurals.set(`${groupVersion}/${kind}`, name)
  }

  /** The kinds that a template may have made: `apps/v1/Deployment` … */
  get kinds(): readonly string[] {
    return [...this.#plurals.keys()]
  }

  /** The path of the pods of the namespace. */
  get pods(): string {
    return `/api/v1/namespaces/${this.namespace}/pods`
  }

  /** The path of a kind in the namespace. Throws a `UserError` for an unknown kind. */
  pathOf(apiVersion: string, kind: string): string {
    const plural = this.#plurals.get(`${apiVersion}/${kind}`)
    if (plural === undefined)
      throw new UserError(`the cluster does not know the kind ${kind} of ${apiVersion}`, {
        explanation: 'Its version of Dapr is older or newer than the resource: dapr upgrade -k, or another apiVersion.'
      })
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
    return `${root}/namespaces/${this.namespace}/${plural}`
  }

  /** The object as it is now; undefined if there is none. */
  async find(object: KubernetesObject): Promise<LiveObject | undefined> {
    try {
      return await this.client.json<LiveObject>('GET', this.#pathTo(object), {needs: 'metadata'})
    } catch (error) {
      if (isStatus(error, 404)) return undefined
      throw this.#asUserError(error, objectName(object))
    }
  }

  /** Server-side apply, never forced. With `dryRun` the server checks everything and changes nothing. */
  async apply(object: KubernetesObject, {dryRun = false} = {}): Promise<LiveObject> {
    const query = {fieldManager: MANAGER, fieldValidation: 'Strict', dryRun: dryRun ? 'All' : undefined}
    try {
      const live = await this.client.json<LiveObject>('PATCH', this.#pathTo(object), {
        query,
        body: object,
        type: 'application/apply-patch+yaml', // JSON is YAML
        needs: 'metadata'
      })
      if (!dryRun) this.expected.push(object)
      return live
    } catch (error) {
      throw this.#asUserError(error, objectName(object))
    }
  }

  /** Deletes an object and, in the background, or before it is gone (`Foreground`), what it owns. No failure if it is gone, and another one may have its name. */
  async delete(object: LiveObject, propagationPolicy: 'Background' | 'Foreground' = 'Background'): Promise<void> {
    const preconditions = {uid: object.metadata.uid}
    try {
      await this.client.json('DELETE', this.#pathTo(object), {body: {propagationPolicy, preconditions}})
    } catch (error) {
      if (isStatus(error, 404)) return
      const isOther = isStatus(error, 409) && (await this.find(object))?.metadata.uid !== preconditions.uid
      if (!isOther) throw this.#asUserError(error, objectName(object))
    }
  }

  /** The objects of a kind in the namespace that the labels select, those that are `expected` if it may not be listed; none if it is unknown. */
  async list(kind: string, labels: string): Promise<readonly LiveObject[]> {
    const at = kind.lastIndexOf('/')
    const apiVersion = kind.slice(0, at)
    const path = this.pathOf(apiVersion, kind.slice(at + 1))
    try {
      const {items} = await this.client.list<LiveObject>(path, {query: {labelSelector: labels}})
      // items of a list do not say what they are
      return items.map(item => ({...item, apiVersion, kind: kind.slice(at + 1)}))
    } catch (error) {
      if (isStatus(error, 404)) return []
      const plural = path.slice(path.lastIndexOf('/') + 1)
      // who may not list Deployments knows nothing of a run
      if (!isStatus(error, 403) || plural === 'deployments') throw this.#asUserError(error, plural)
      const named = this.expected.filter(object => `${object.apiVersion}/${object.kind}` === kind)
      if (named.length === 0) this.hidden.add(plural)
      const found = await inParallel(named, async object =>
        this.find(object).catch((refused: unknown) => {
          if (!(refused instanceof UserError && isStatus(refused.cause, 403))) throw refused
          this.hidden.add(plural)
          return undefined
        })
      )
      const [label = '', value = ''] = labels.split(/[=,]/)
      return found.flatMap(live => (live?.metadata.labels?.[label] === value ? [live] : []))
    }
  }

  #pathTo({apiVersion, kind, metadata}: KubernetesObject): string {
    return `${this.pathOf(apiVersion, kind)}/${encodeURIComponent(metadata.name)}`
  }

  #asUserError(error: unknown, what: string): unknown {
    return asUserError(error, what, this.client.access.context)
  }
}
