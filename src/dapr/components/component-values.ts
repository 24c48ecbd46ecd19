import {randomUUID} from 'node:crypto'
import {namespaceOf, variableOf, type Environment} from '../../model/environment.ts'
import type {ComponentProperty, ComponentResource} from '../../files/resources/components.ts'
import {ComponentFault, type Property} from './properties.ts'
import type {Secret} from './secret-store.ts'

interface ValueOptions {
  readonly appId: string
  readonly env: Environment
  /** Looks up a secret. Returns undefined if the store does not exist. */
  readonly secretOf: (store: string, name: string) => Promise<Secret | undefined> | undefined
  readonly warn: (text: string) => void
  readonly error: (text: string) => void
}

/**
 * Returns the properties of a component with their values: looks up secrets and variables, and replaces `{appID}` and similar texts (Dapr:
 * pkg/runtime/meta and pkg/runtime/processor); undefined: its secret store does not exist.
 */
export async function propertyValues(
  {name, properties, secretStore}: ComponentResource,
  options: ValueOptions
): Promise<readonly Property[] | undefined> {
  const values: Property[] = []
  for (const property of properties) {
    let {value} = property
    const isSecret = property.secret !== undefined && value === ''
    if (property.secret !== undefined && secretStore !== '' && value === '') {
      const secret = options.secretOf(secretStore, property.secret.name)
      if (secret === undefined) {
        options.warn(`Component ${name} references a secret store that isn't loaded: ${secretStore}`)
        return undefined
      }
      value = await secretValue(secret, property, options)
    } else if (value === '' && property.envRef !== '') value = variable(name, property, options)
    const known = {name: property.name, value: fillIn({...property, value}, options), place: property.place}
    values.push(isSecret ? {...known, isSecret} : known)
  }
  return values
}

async function secretValue(
  found: Promise<Secret | undefined>,
  {secret}: ComponentProperty,
  {error}: ValueOptions
): Promise<string> {
  const {name = '', key = ''} = secret ?? {}
  try {
    const value = (await found)?.[key]
    if (value === undefined) error(`Error getting secret: secret ${name} not found`)
    return value ?? ''
  } catch (why) {
    if (why instanceof ComponentFault) throw why
    error(`Error getting secret: ${String(why)}`)
    return ''
  }
}

/** Looks up a variable. Refuses Dapr's own variables, which may contain tokens (pkg/runtime/processor, isEnvVarAllowed). */
function variable(component: string, {name, envRef}: ComponentProperty, {env, warn}: ValueOptions): string {
  const key = envRef.toUpperCase()
  if (key !== 'APP_API_TOKEN' && !key.startsWith('DAPR_') && !key.includes(' ')) return variableOf(env, envRef)
  warn(`The variable ${envRef} may not be used for ${name} of the component ${component}`)
  return ''
}

function fillIn({name, value, place}: ComponentProperty, {appId, env}: ValueOptions): string {
  if (!value.includes('{')) return value
  const {POD_NAME: podName = ''} = env
  if (podName === '' && value.includes('{podName}'))
    throw new ComponentFault(
      `failed to parse metadata: property ${name} refers to {podName} but podName is not set`,
      place
    )
  return value
    .replaceAll('{uuid}', () => randomUUID())
    .replaceAll('{podName}', () => podName)
    .replaceAll('{namespace}', () => `${namespaceOf(env)}.${appId}`)
    .replaceAll('{appID}', () => appId)
}

type Metadata = Readonly<Record<string, string>>

/** Returns the value of a name in any capitals; '': not found. */
export function textNamed(metadata: Metadata, name: string): string {
  const exact = metadata[name]
  if (exact !== undefined && exact !== '') return exact
  const lower = name.toLowerCase()
  for (const key in metadata) if (metadata[key] !== '' && key.toLowerCase() === lower) return metadata[key] ?? ''
  return ''
}

/** Returns the prefix of a broker's topics: the namespace, if a property contains `{namespace}` (Dapr: pkg/runtime/meta, ContainsNamespace). */
export const topicPrefixOf = ({properties}: ComponentResource, env: ValueOptions['env']): string =>
  properties.some(({value}) => value.includes('{namespace}')) ? namespaceOf(env) : ''
