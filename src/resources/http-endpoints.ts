import {readdirSync, statSync} from 'node:fs'
import {join} from 'node:path'
import {messageOf} from '../model/errors.ts'
import {readDocuments} from './documents.ts'

/** Dapr's HTTPEndpoint: somebody outside whom apps call by a name (pkg/apis/httpEndpoint/v1alpha1/types.go). */
export interface HttpEndpoint {
  readonly name: string
  readonly baseUrl: string
  /** Put into each request, in the place of the caller's. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** PEM, '' = none. */
  readonly rootCa: string
  readonly certificate: string
  readonly privateKey: string
  /** Why it cannot be called, '' = it can. */
  readonly fault: string
}

/** For whom resources are read. */
export interface ResourceReader {
  readonly appId: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** What resources of a folder look like now: differs when something was changed. */
export function fingerprintOf(folders: readonly string[]): string {
  return folders.flatMap(folder => filesIn(folder).map(file => `${file} ${changedAt(file)}`)).join('\n')
}

/** The HTTPEndpoints in folders of Dapr resources, those that are for this app. `warn` is told what cannot be read. */
export function readEndpoints(
  folders: readonly string[],
  reader: ResourceReader,
  warn: (text: string) => void
): readonly HttpEndpoint[] {
  const found = new Map<string, HttpEndpoint>()
  for (const file of folders.flatMap(filesIn)) {
    for (const document of documentsIn(file, warn)) {
      const endpoint = endpointOf(document, reader)
      if (endpoint === undefined) continue
      if (found.has(endpoint.name))
        warn(`${file}: there is an HTTPEndpoint "${endpoint.name}" already: this one is left out`)
      else found.set(endpoint.name, endpoint)
    }
  }
  return [...found.values()]
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter(name => /\.ya?ml$/i.test(name))
      .toSorted()
      .map(name => join(folder, name))
  } catch {
    return [] // those of the default need not be there
  }
}

function changedAt(file: string): string {
  const {mtimeMs, size} = statSync(file, {throwIfNoEntry: false}) ?? {mtimeMs: 0, size: 0}
  return `${mtimeMs.toString()} ${size.toString()}`
}

/** Most resources are of other kinds: they are not even parsed. */
function documentsIn(file: string, warn: (text: string) => void): readonly unknown[] {
  try {
    return readDocuments(file, text => text.includes('HTTPEndpoint'))
  } catch (error) {
    warn(`${file} cannot be read: ${messageOf(error)}`)
    return []
  }
}

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})
const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function endpointOf(document: unknown, reader: ResourceReader): HttpEndpoint | undefined {
  const {kind, apiVersion, metadata, spec, scopes} = fieldsOf(document)
  if (kind !== 'HTTPEndpoint' || apiVersion !== 'dapr.io/v1alpha1') return undefined
  const {name, namespace} = fieldsOf(metadata)
  const ids = listOf(scopes)
  const ownNamespace = reader.env['NAMESPACE'] ?? ''
  if (ids.length > 0 && !ids.includes(reader.appId)) return undefined
  if (ownNamespace !== '' && textOf(namespace) !== '' && textOf(namespace) !== ownNamespace) return undefined
  return textOf(name) === '' ? undefined : filled(textOf(name), fieldsOf(spec), reader)
}

/** Values that stand there, or in our environment; there is no secret store to ask. */
class Values {
  readonly faults: string[] = []
  readonly #env: ResourceReader['env']

  constructor(env: ResourceReader['env']) {
    this.#env = env
  }

  of(what: string, given: unknown): string {
    const {value, secretKeyRef, envRef} = fieldsOf(given)
    const variable = textOf(envRef)
    if (variable !== '') return this.#variable(what, variable)
    if (textOf(fieldsOf(secretKeyRef)['name']) !== '' && textOf(value) === '')
      this.faults.push(`${what} is in a secret store, and there are none here: use value or envRef`)
    return textOf(value)
  }

  /** Dapr's own variables hold tokens (pkg/runtime/processor, isEnvVarAllowed). */
  #variable(what: string, name: string): string {
    if (name === 'APP_API_TOKEN' || name.startsWith('DAPR_') || name.includes(' ')) {
      this.faults.push(`${what} may not take ${name} from the environment`)
      return ''
    }
    return this.#env[name] ?? ''
  }
}

function filled(name: string, spec: Fields, {env}: ResourceReader): HttpEndpoint {
  const values = new Values(env)
  const {rootCA, certificate, privateKey} = fieldsOf(spec['clientTLS'])
  // Go reads keys of JSON in any capitals.
  const baseKey = Object.keys(spec).find(key => key.toLowerCase() === 'baseurl') ?? ''
  const baseUrl = textOf(spec[baseKey])
  const endpoint = {
    name,
    baseUrl,
    headers: listOf(spec['headers']).map(header => {
      const field = textOf(fieldsOf(header)['name'])
      return [field, values.of(`the header ${field}`, header)] as const
    }),
    rootCa: values.of('clientTLS.rootCA', rootCA),
    certificate: values.of('clientTLS.certificate', certificate),
    privateKey: values.of('clientTLS.privateKey', privateKey)
  }
  if (!/^https?:\/\/[^/]/.test(baseUrl) || !URL.canParse(baseUrl))
    values.faults.push(`its baseUrl "${baseUrl}" is no URL`)
  const bad = endpoint.headers.find(
    ([header, value]) => !/^[\w!#$%&'*+\-.^`|~]+$/.test(header) || /[\r\n\0]/.test(value)
  )
  if (bad !== undefined) values.faults.push(`"${bad[0]}" is no header`)
  return {...endpoint, fault: values.faults.join('; ')}
}
