// Objects of Kubernetes' manifests, and the workloads among them.
import type {ImportedFile} from '../imported.ts'
import {mapOf, textValue, type Values} from '../reading/yaml-file.ts'

export interface ManifestObject {
  readonly values: Values
  readonly file: ImportedFile
}

/** A workload by the name of the first Service that selects it, and the hosts at which it is called. */
export interface Workload extends ManifestObject {
  readonly id: string
  readonly pod: Values
  readonly hosts: readonly string[]
  /** The port in its container of each port of its Services. */
  readonly targets: ReadonlyMap<string, string>
  readonly notes: string[]
}

/** Workloads by the hosts at which they are called. */
export type Hosts = ReadonlyMap<string, Workload>

export const manifestKind = ({values}: ManifestObject): string => textValue(values['kind'])

export const manifestName = ({values: {metadata}}: ManifestObject): string =>
  textValue(mapOf(metadata)['name']) || textValue(mapOf(metadata)['generateName']).replace(/-+$/, '')

/** The template of a workload's pods, of a schedule its job's. */
export function templateOf({values}: ManifestObject): Values {
  const spec = mapOf(values['spec'])
  if (values['kind'] === 'Pod') return values
  return mapOf((values['kind'] === 'CronJob' ? mapOf(mapOf(spec['jobTemplate'])['spec']) : spec)['template'])
}
