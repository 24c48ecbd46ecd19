import {
  labelsOf,
  TEMPLATE_LABEL,
  type AppObjects,
  type KubernetesObject,
  type TemplateObjects
} from '../../../src/packages/kubernetes/object.ts'
import type {Random} from '../../fuzz/random.ts'
import type {Stored} from './api-server.ts'
import {ROOTS} from './workshop.ts'

export const TEMPLATES = {shop: ['cart', 'mail', 'stock'], depot: ['gate', 'rack', 'stock']} as const
export type Name = keyof typeof TEMPLATES
export type Kind = keyof typeof ROOTS
export const VERSIONS: Readonly<Record<Kind, string>> = {
  Deployment: 'apps/v1',
  Job: 'batch/v1',
  Service: 'v1',
  Secret: 'v1',
  Component: 'dapr.io/v1alpha1'
}
interface Entry {
  readonly id: string
  readonly mark: string
  readonly kind: 'Deployment' | 'Job'
  readonly hasService: boolean
  readonly hasSecret: boolean
  readonly replicas: number | undefined
  readonly needs: string | undefined
}

/** The templates as their people have written them. */
export class Templates {
  readonly #random: Random
  readonly #written = new Map<Name, readonly Entry[]>()
  readonly #components = new Map<Name, number>()
  #count = 0

  constructor(random: Random) {
    this.#random = random
    for (const [name, ids] of Object.entries(TEMPLATES) as [Name, readonly string[]][]) {
      this.#written.set(
        name,
        ids.slice(0, 2).map(id => this.#entry(id))
      )
      this.#components.set(name, 0)
    }
  }

  /** The apps of a template run, and end, well. */
  mend(name: Name): void {
    const entries = this.#written.get(name) ?? []
    this.#written.set(
      name,
      entries.map(entry => ({...entry, mark: `good${++this.#count}`}))
    )
  }

  /** Whether a run of it ends by itself. */
  hasJobsAlone(name: Name): boolean {
    return (this.#written.get(name) ?? []).every(({kind}) => kind === 'Job')
  }

  /** Somebody edits a template; gives what it is like then. */
  edit(): string {
    const random = this.#random
    const name = random.pick(Object.keys(TEMPLATES) as Name[])
    const entries = this.#written.get(name) ?? []
    const entry = random.pick(entries)
    const unused = TEMPLATES[name].find(id => entries.every(each => each.id !== id))
    const kind = random.below(4)
    if (kind === 0 && unused !== undefined) this.#written.set(name, [...entries, this.#entry(unused)])
    else if (kind === 1 && entries.length > 1)
      this.#written.set(
        name,
        entries.filter(each => each !== entry)
      )
    else if (kind === 2) this.#components.set(name, ++this.#count)
    else
      this.#written.set(
        name,
        entries.map(each => (each === entry ? this.#entry(entry.id) : each))
      )
    const shown = (this.#written.get(name) ?? []).map(each => `${each.id} ${each.kind} ${each.mark}`)
    return `${name} is edited: ${shown.join(', ')}`
  }

  #entry(id: string): Entry {
    const random = this.#random
    return {
      id,
      mark: `${random.oneIn(8) ? 'bad' : 'good'}${++this.#count}`,
      kind: random.oneIn(4) ? 'Job' : 'Deployment',
      hasService: random.oneIn(2),
      hasSecret: random.oneIn(3),
      replicas: random.oneIn(2) ? random.below(3) + 1 : undefined,
      needs: undefined
    }
  }

  /** What a run of the template applies. */
  objects(name: Name): TemplateObjects {
    const entries = this.#written.get(name) ?? []
    const made = (kind: Kind, own: string, app: string, more: object): KubernetesObject => ({
      apiVersion: VERSIONS[kind],
      kind,
      metadata: {name: own, namespace: 'shop', labels: {...labelsOf(name), ...(app !== '' && {app})}},
      ...more
    })
    const apps = entries.map(({id, mark, kind, hasService, hasSecret, replicas}, index): AppObjects => {
      const needed = entries[index - 1]
      const template = {mark, spec: {terminationGracePeriodSeconds: 30}}
      const spec = kind === 'Job' ? {backoffLimit: 0, template} : {...(replicas !== undefined && {replicas}), template}
      return {
        id,
        plan: {id, folder: '/', logs: {folder: '/'}} as never,
        dependsOn: needed === undefined ? [] : [{id: needed.id, until: needed.kind === 'Job' ? 'completed' : 'ready'}],
        workload: made(kind, id, id, {spec}),
        service: hasService ? made('Service', id, id, {spec: {port: 80}}) : undefined,
        secret: hasSecret ? made('Secret', `${id}-env`, id, {data: {MARK: mark}}) : undefined
      }
    })
    const resources = [
      {object: made('Component', `${name}-store`, '', {spec: {n: this.#components.get(name)}}), shownAs: 'file'}
    ]
    return {name, resources, apps, warnings: []}
  }

  /** What of a template is not in the cluster as it is written. */
  faults(name: Name, objects: ReadonlyMap<string, Stored>): readonly string[] {
    const faults: string[] = []
    const {apps, resources} = this.objects(name)
    const wanted = [
      ...apps.flatMap(app => [app.workload, app.service, app.secret]),
      ...resources.map(({object}) => object)
    ].filter(each => each !== undefined)
    const paths = new Map(wanted.map(object => [`${ROOTS[object.kind as Kind]}/${object.metadata.name}`, object]))
    for (const [path, object] of objects) {
      if (object.metadata.labels?.[TEMPLATE_LABEL] !== name || path.includes('/pods/')) continue
      const of = paths.get(path)
      paths.delete(path)
      if (of === undefined) faults.push(`${path} is there, though the template has it no more`)
      else if (
        JSON.stringify((object.spec as {template?: unknown} | undefined)?.template) !==
        JSON.stringify((of['spec'] as {template?: unknown} | undefined)?.template)
      )
        faults.push(`${path} is not as written`)
    }
    for (const path of paths.keys()) faults.push(`${path} is missing`)
    return faults
  }
}
