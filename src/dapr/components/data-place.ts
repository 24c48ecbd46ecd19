import {createHash} from 'node:crypto'
import {resolve} from 'node:path'
import type {ComponentResource} from '../../files/resources/components.ts'
import {isLoopback} from '../../model/address.ts'
import {linksResolved} from '../../platform/paths.ts'
import type {Properties} from './properties.ts'
import {redisTarget} from './redis/open-redis.ts'
import {IN_MEMORY, sqliteFile} from './state/sqlite-file.ts'
import type {RedisAccess} from './redis/redis-servers.ts'

/** The data of a component that other runs may use, too: in a server, or in a file. */
export interface DataPlace {
  /** Names it in messages: `store (state.redis at localhost:6379)`. */
  readonly shown: string
  /** Equal for components that share their data. */
  readonly key: string
}

export interface PlacedComponent {
  readonly resource: ComponentResource
  readonly properties: Properties
  /** Folder of the app, from which files are named. */
  readonly folder: string
}

/** Matches types of components whose data no other run can reach, or that have no data. */
const NOT_SHARED = /^(?:secretstores|configuration|conversation|crypto|middleware)\.|\.(?:in-memory|cron|http)$/

/** Returns where a component stores its data; undefined: no other run can reach them. */
export function dataPlaceOf(
  {resource, properties, folder}: PlacedComponent,
  isOwn: RedisAccess['isOwn']
): DataPlace | undefined {
  const {name, type} = resource
  if (NOT_SHARED.test(type)) return undefined
  if (type.endsWith('.redis')) {
    const {host, port} = redisTarget(properties)
    if (isLoopback(host) && isOwn?.(port) === true) return undefined
  }
  const path = pathOf(type, properties, folder)
  if (path === IN_MEMORY) return undefined
  const at = path === '' ? serverOf(properties) : path
  const values =
    path === '' ? PLACE_PROPERTIES.map(each => properties.text(each)) : [path, properties.text('tableName')]
  return {
    shown: `${name} (${type}${at === '' ? '' : ` at ${at}`})`,
    key: createHash('sha256')
      .update(JSON.stringify([type, ...values]))
      .digest('hex')
  }
}

/** Returns the file or folder of the data; '': a server keeps them. */
function pathOf(type: string, properties: Properties, folder: string): string {
  if (type === 'bindings.localstorage') return linksResolved(resolve(folder, properties.text('rootPath')))
  if (type !== 'state.sqlite') return ''
  const file = sqliteFile(properties, folder)
  return file === IN_MEMORY ? file : linksResolved(file)
}

/** Properties that name the place of the data: components that differ in one of them do not share data. */
const PLACE_PROPERTIES =
  `redisHost redisPort redisDB host hostname port brokers connectionString url database databaseName schema
  keyPrefix tableName tablePrefix consumerID consumerGroup`.split(/\s+/)

/** Returns the server without a password; '': the properties name it in an unknown form. */
function serverOf(properties: Properties): string {
  const given = ['redisHost', 'brokers', 'host', 'hostname', 'connectionString', 'url']
  const text = given.map(name => properties.text(name)).find(each => each !== '') ?? ''
  const at = /\/\/(?:[^/?]*@)?([^/?]+)/.exec(text)?.[1] ?? /(?:^|\s)host\s*=\s*'?([^\s']+)/.exec(text)?.[1] ?? text
  return /^[\w.:,[\]-]+$/.test(at) ? at : ''
}
