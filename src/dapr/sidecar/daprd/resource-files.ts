import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {ComponentProperty, ComponentResource} from '../../../files/resources/components.ts'
import {movedTogether} from '../../../model/moved-ports.ts'
import {makeFolder} from '../../../platform/make-folder.ts'

const VERSION = 'dapr.io/v1alpha1'

/** Returns the components that daprd has to open: `own`, and before them the secret stores that they name. */
export function neededOf(
  own: readonly ComponentResource[],
  all: readonly ComponentResource[]
): readonly ComponentResource[] {
  const stores = new Set(own.map(({secretStore}) => secretStore).filter(Boolean))
  const isStore = ({name, type}: ComponentResource): boolean => stores.has(name) && type.startsWith('secretstores.')
  return [...all.filter(each => isStore(each) && !own.includes(each)), ...own]
}

const entryOf = ({name, value, secret, envRef}: ComponentProperty): object => {
  if (value === '' && secret !== undefined) return {name, secretKeyRef: secret}
  return value === '' && envRef !== '' ? {name, envRef} : {name, value}
}

const documentOf = (resource: ComponentResource): object => {
  const {name, namespace, type, version, ignoresErrors, initTimeoutMs, properties, secretStore, moved} = resource
  return {
    apiVersion: VERSION,
    kind: 'Component',
    metadata: {name, ...(namespace !== '' && {namespace})},
    spec: {
      type,
      version,
      ignoreErrors: ignoresErrors,
      initTimeout: `${initTimeoutMs}ms`,
      metadata: movedTogether(properties, new Map(moved)).map(entryOf)
    },
    ...(secretStore !== '' && {auth: {secretStore}})
  }
}

/** Returns the text of daprd's file of components: YAML documents, written as JSON. */
export const componentsText = (resources: readonly ComponentResource[]): string =>
  resources.map(each => JSON.stringify(documentOf(each))).join('\n---\n')

const routeOf = ({name, properties}: ComponentResource): string =>
  properties.find(property => property.name.toLowerCase() === 'route')?.value.replace(/^\/+/, '') || name

/** Returns the name of the binding whose events daprd sends to a path, given without its leading slash; undefined: none. */
export const bindingAt = (path: string, resources: readonly ComponentResource[]): string | undefined =>
  resources.find(each => each.type.startsWith('bindings.') && routeOf(each) === path)?.name

/** Daprd's Configuration, which turns off its traces and metrics, since Pillion's sidecar has its own. */
const CONFIGURATION = JSON.stringify({
  apiVersion: VERSION,
  kind: 'Configuration',
  metadata: {name: 'pillion'},
  spec: {tracing: {samplingRate: '0'}, metric: {enabled: false}}
})

/** The folder of daprd's files. Other users cannot read it, since a component may contain a password. */
export interface DaprdFolder {
  /** Folder of its sockets. */
  readonly path: string
  readonly resources: string
  readonly config: string
}

export function writeFolder(path: string, text: string): DaprdFolder {
  const resources = join(path, 'resources')
  const config = join(path, 'config.yaml')
  makeFolder(resources, 0o700)
  writeFileSync(join(resources, 'components.yaml'), text, {mode: 0o600})
  writeFileSync(config, CONFIGURATION, {mode: 0o600})
  return {path, resources, config}
}
