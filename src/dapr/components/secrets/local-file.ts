import {resolve} from 'node:path'
import {messageOf} from '../../../model/errors.ts'
import {exactText, parseSecret} from '../../../model/exact-json.ts'
import {readTextFile} from '../../../model/read-file.ts'
import type {OpenComponent} from '../component.ts'
import type {Properties} from '../properties.ts'
import type {Secret, SecretStore} from '../secret-store.ts'
import {isObject} from '../../../model/is-object.ts'

type Secrets = ReadonlyMap<string, Secret>

/** `secretstores.local.file`: a JSON file, read once (components-contrib: secretstores/local/file). */
export const open: OpenComponent<SecretStore> = async ({properties, folder}) => {
  const isMultiValued = properties.boolean('multiValued')
  const secrets = read(resolve(folder, pathOf(properties)), properties, isMultiValued)
  return {
    capabilities: isMultiValued ? ['MULTIPLE_KEY_VALUES_PER_SECRET'] : [],
    get: async name => secrets.get(name),
    all: async () => Object.fromEntries(secrets)
  }
}

const pathOf = (properties: Properties): string =>
  properties.text('secretsFile') || properties.fault('secretsFile', 'missing local secrets file in metadata')

function read(path: string, properties: Properties, isMultiValued: boolean): Secrets {
  let content: unknown
  try {
    content = parseSecret(readTextFile(path))
  } catch (error) {
    return properties.fault('secretsFile', `${path} cannot be read: ${messageOf(error)}`)
  }
  if (!isObject(content)) return properties.fault('secretsFile', `${path} must hold a JSON object`)
  const separator = properties.text('nestedSeparator') || ':'
  if (!isMultiValued) return new Map(flatten(content, '', separator).map(([name, value]) => [name, {[name]: value}]))
  return new Map(
    Object.entries(content).flatMap(([name, value]): readonly (readonly [string, Secret])[] => {
      if (typeof value === 'string') return [[name, {[name]: value}]]
      return isObject(value) ? [[name, Object.fromEntries(flatten(value, '', separator))]] : []
    })
  )
}

/** Returns each scalar as text, by its path: `a:b`, `list:0`. The text of null is ''. */
function flatten(value: unknown, path: string, separator: string): readonly (readonly [string, string])[] {
  if (value === null) return [[path, '']]
  if (typeof value !== 'object') return [[path, typeof value === 'string' ? value : exactText(value)]]
  return Object.entries(value).flatMap(([key, child]) =>
    flatten(child, path === '' ? key : path + separator + key, separator)
  )
}
