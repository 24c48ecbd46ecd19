import {variableOf, type Environment} from '../../model/environment.ts'
import {messageOf, type Place} from '../../model/errors.ts'
import {hasKnownVersion} from './components.ts'
import type {ResourceFault} from './fault.ts'
import type {Field} from './field.ts'
import {headOf, type ResourceFile, type ResourceHead} from './resource-file.ts'

/** Dapr's HTTPEndpoint: an external server that apps call by a name (pkg/apis/httpEndpoint/v1alpha1/types.go). */
export interface HttpEndpoint extends ResourceHead {
  readonly baseUrl: string
  /** Headers of each request, in place of the caller's headers of the same names. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** PEM; may be empty. */
  readonly rootCa: string
  readonly certificate: string
  readonly privateKey: string
  /** Store of its secrets; may be empty. */
  readonly secretStore: string
  /** Secrets to read. The values that they fill are empty until `withSecrets` has read them. */
  readonly secrets: readonly EndpointSecret[]
  /** Why it cannot be called; empty if it can. */
  readonly fault: string
  readonly place: Place
}

/** A value of an HTTPEndpoint that a secret store has. */
interface EndpointSecret {
  /** The value that the secret fills. A number: the header at this index. */
  readonly of: number | 'rootCa' | 'certificate' | 'privateKey'
  readonly name: string
  readonly key: string
}

/** Returns the keys of a secret, if there is one with this name. Rejects if the store does not answer. */
export type SecretOf = (store: string, name: string) => Promise<Readonly<Record<string, string>> | undefined>

/** Returns the endpoint with the values of its secrets, or with a `fault` if one cannot be read. */
export async function withSecrets(endpoint: HttpEndpoint, secretOf: SecretOf): Promise<HttpEndpoint> {
  const found: {-readonly [Key in keyof HttpEndpoint]: HttpEndpoint[Key]} = {...endpoint}
  try {
    for (const {of, name, key} of endpoint.secrets) {
      const value = (await secretOf(endpoint.secretStore, name))?.[key]
      if (value === undefined) throw new Error(`secret ${name} not found in ${endpoint.secretStore}`)
      if (typeof of === 'string') found[of] = value
      else if (/[\r\n\0]/.test(value)) throw new Error(`the secret ${name} cannot be sent in a header`)
      else found.headers = found.headers.map(([header, old], at) => [header, at === of ? value : old])
    }
  } catch (error) {
    found.fault = messageOf(error)
  }
  return found
}

/** Returns the HTTPEndpoints of a file; values may come from the environment. Keeps faulty ones, so that a call can name the mistake. */
export const readHttpEndpoints = ({documents}: ResourceFile, env: Environment): readonly HttpEndpoint[] =>
  documents
    .filter(document => document.field('kind').text() === 'HTTPEndpoint')
    .flatMap(document => readEndpoint(document, env))

function readEndpoint(document: Field, env: Environment): readonly HttpEndpoint[] {
  document.warnUnknownKeys(['apiVersion', 'kind', 'metadata', 'scopes', 'spec', 'auth'])
  const name = document.field('metadata').field('name')
  if (!hasKnownVersion(document)) return []
  if (name.text() === '') {
    name.warn('metadata.name is empty: this HTTPEndpoint is left out', {expected: 'expected a name for the resource'})
    return []
  }
  return [{...headOf(document), ...readSpec(document, env), place: name.place}]
}

type Spec = Omit<HttpEndpoint, 'name' | 'namespace' | 'scopes' | 'place'>

function readSpec(document: Field, env: Environment): Spec {
  const spec = document.field('spec')
  const secretStore = document.field('auth').field('secretStore').text()
  spec.warnUnknownKeys(['version', 'baseUrl', 'headers', 'clientTLS'])
  const values = new Values(env, secretStore)
  const tls = spec.field('clientTLS')
  tls.warnUnknownKeys(['rootCA', 'certificate', 'privateKey', 'renegotiation'])
  const baseUrl = spec.field('baseUrl')
  const headers = spec.field('headers').items()
  const read = {
    baseUrl: baseUrl.text(),
    headers: headers.map((header, at) => readHeader(header, values, at)),
    rootCa: values.of('clientTLS.rootCA', tls.field('rootCA'), 'rootCa'),
    certificate: values.of('clientTLS.certificate', tls.field('certificate'), 'certificate'),
    privateKey: values.of('clientTLS.privateKey', tls.field('privateKey'), 'privateKey')
  }
  if (!/^https?:\/\/[^/]/.test(read.baseUrl) || !URL.canParse(read.baseUrl))
    values.fail(baseUrl, `its baseUrl "${read.baseUrl}" is no URL`, 'expected a URL such as https://example.com/path')
  return {...read, secretStore, secrets: values.secrets, fault: values.faults.join('; ')}
}

function readHeader(field: Field, values: Values, at: number): readonly [name: string, value: string] {
  const name = field.field('name').text()
  const value = values.of(`the header ${name}`, field, at)
  if (!/^[\w!#$%&'*+\-.^`|~]+$/.test(name) || /[\r\n\0]/.test(value)) values.fail(field, `"${name}" is no header`)
  return [name, value]
}

/** Reads values from the file or our environment. Notes secrets, which `withSecrets` reads later from the store. */
class Values {
  readonly faults: string[] = []
  readonly secrets: EndpointSecret[] = []
  readonly #env: Environment
  readonly #secretStore: string

  constructor(env: Environment, secretStore: string) {
    this.#env = env
    this.#secretStore = secretStore
  }

  of(what: string, field: Field, of: EndpointSecret['of']): string {
    const variable = field.field('envRef')
    if (variable.text() !== '') return this.#variable(what, variable)
    const secret = field.field('secretKeyRef')
    const value = field.field('value').dynamic()
    const name = secret.field('name').text()
    if (name === '' || value !== '') return value
    if (this.#secretStore === '') this.fail(secret, `${what} is in a secret store, and auth.secretStore names none`)
    this.secrets.push({of, name, key: secret.field('key').text() || name})
    return value
  }

  fail(field: Field, fault: string, expected = ''): void {
    this.faults.push(fault)
    field.error(fault, {expected})
  }

  /** Looks up a variable. Dapr's own variables are refused: they hold tokens (pkg/runtime/processor, isEnvVarAllowed). */
  #variable(what: string, field: Field): string {
    const name = field.text()
    if (name !== 'APP_API_TOKEN' && !name.startsWith('DAPR_') && !name.includes(' ')) return variableOf(this.#env, name)
    this.fail(field, `${what} may not take ${name} from the environment`)
    return ''
  }
}

/** Returns the first endpoint of each name; the others are faults. */
export function firstOfName(all: readonly HttpEndpoint[]): {
  readonly endpoints: readonly HttpEndpoint[]
  readonly faults: readonly ResourceFault[]
} {
  const found = new Map<string, HttpEndpoint>()
  const faults: ResourceFault[] = []
  for (const endpoint of all) {
    const {name, place} = endpoint
    const earlier = found.get(name)?.place
    if (earlier === undefined) found.set(name, endpoint)
    else {
      const at = `${earlier.file}:${earlier.line}`
      const message = `there is an HTTPEndpoint "${name}" already (${at}): this one is left out`
      faults.push({severity: 'warning', message, place, expected: '', hint: 'rename one of them'})
    }
  }
  return {endpoints: [...found.values()], faults}
}
