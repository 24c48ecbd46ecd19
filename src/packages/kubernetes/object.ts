import {createHash} from 'node:crypto'
import {basename, dirname} from 'node:path'
import type {AppPlan, Dependency, Plan} from '../../model/plan.ts'

/** An object of the API server. Its keys are in the order in which they are written. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly [field: string]: unknown
}

export interface ObjectMeta {
  readonly name: string
  /** Omitted: the namespace of the context. */
  readonly namespace?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** A resource of Dapr, with its file's name for messages. */
export interface ResourceObject {
  readonly object: KubernetesObject
  readonly shownAs: string
}

export interface AppObjects {
  readonly id: string
  readonly plan: AppPlan
  /** Apps of the template on which this app depends. */
  readonly dependsOn: readonly Dependency[]
  /** A Deployment or a Job. */
  readonly workload: KubernetesObject
  readonly service: KubernetesObject | undefined
  /** The variables of its `envFile`. */
  readonly secret: KubernetesObject | undefined
}

/** All objects of a template on Kubernetes. */
export interface TemplateObjects {
  /** The value of the label `pillion/template`. */
  readonly name: string
  /** Dapr's resources, to be made before the apps. */
  readonly resources: readonly ResourceObject[]
  /** Apps in start order: dependencies first. */
  readonly apps: readonly AppObjects[]
  /** Warnings about probable mistakes, one line each. */
  readonly warnings: readonly string[]
}

/** Returns the objects of an app, in the order in which they are made. */
export const objectsOf = ({secret, service, workload}: AppObjects): readonly KubernetesObject[] =>
  [secret, service, workload].filter(object => object !== undefined)

/** Returns the name of the Secret of an app. */
export const secretName = (id: string): string => `${id}-env`

/** The label that marks an object as ours; its value is the template's name. */
export const TEMPLATE_LABEL = 'pillion/template'

/** Label with the manager of an object; Pillion's objects have `MANAGER`, which server-side apply also notes as the owner of our fields. */
export const MANAGED_BY = 'app.kubernetes.io/managed-by'
export const MANAGER = 'pillion'

/** Returns the labels of every object that a template makes. */
export const labelsOf = (template: string): Readonly<Record<string, string>> => ({
  [MANAGED_BY]: MANAGER,
  'app.kubernetes.io/part-of': template,
  [TEMPLATE_LABEL]: template
})

/** Returns the template's name, else that of its folder, never a path: a colleague's run of it has the same label. */
export const templateLabel = ({name, file}: Pick<Plan, 'name' | 'file'>): string =>
  labelValue(name || basename(dirname(file)))

const MAX_LABEL = 63
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/

/** Converts a text to a label's value: other characters become `-`. A hash distinguishes names that would become equal. */
export function labelValue(text: string): string {
  const name = text.normalize()
  if (LABEL.test(name)) return name
  const end = `-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`
  const value = name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, MAX_LABEL - end.length)
  return `${value.replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '') || 'template'}${end}`
}
