import {messageOf} from '../../../model/errors.ts'
import {exactText, parseExactly} from '../../../model/exact-json.ts'
import type {OpenComponent} from '../component.ts'
import {textNamed} from '../component-values.ts'
import type {ConfigurationItem, ConfigurationItems, ConfigurationStore} from '../configuration-store.ts'
import {ChannelNotifications} from '../postgresql/notifications.ts'
import {openPool} from '../postgresql/pool.ts'
import type {Properties} from '../properties.ts'
import {isObject} from '../../../model/is-object.ts'
import {emptyRecord} from '../../../model/own.ts'

const MAX_NAME = 64
const NAME = /^[a-z0-9./_]*$/
const KEY = /^[a-zA-Z0-9./_]*$/

interface Row {
  readonly key: string
  readonly value: string | null
  readonly version: string | null
  readonly metadata: unknown
}

/**
 * `configuration.postgresql`: a table with the columns key, value, version and metadata, and a trigger of its owner that
 * notifies of changes (components-contrib: configuration/postgres).
 */
export const open: OpenComponent<ConfigurationStore> = async options => {
  const {properties, warn} = options
  const table = tableOf(properties)
  const ownChannel = channelOf(properties)
  const pool = await openPool('PostgreSQL configuration store ping error', options)
  const looking = pool.query<{exists: boolean}>('SELECT to_regclass($1) IS NOT NULL AS exists', [table])
  const why = await looking.then(({rows}) => (rows[0]?.exists === true ? '' : 'does not exist'), messageOf)
  if (why !== '') {
    await pool.end()
    properties.fault('table', `postgreSQL configuration table '${table}' ${why}`)
  }
  const notifications = new ChannelNotifications(pool, warn)
  return {
    capabilities: [],
    get: async keys => {
      const wrong = keys.find(key => !KEY.test(key))
      if (wrong !== undefined) throw new Error(`invalid key : '${wrong}'`)
      const where = keys.length > 0 ? 'WHERE key = ANY($1)' : ''
      const found = await pool.query<Row>(
        `SELECT key, value, version, metadata FROM ${table} ${where}`,
        keys.length > 0 ? [keys] : []
      )
      return newestOf(found.rows)
    },
    subscribe: async (keys, metadata, changed) => {
      const channel = checkedChannel(ownChannel || textNamed(metadata, 'pgNotifyChannel'), table)
      return notifications.listen(channel, payload => {
        const items = itemsOf(payload)
        if (typeof items === 'string') return warn(`a notification of channel ${channel} is ${items}: ${payload}`)
        const [key = ''] = Object.keys(items)
        if (keys.length === 0 || keys.includes(key)) changed(items)
      })
    },
    close: async () => {
      notifications.close()
      await pool.end()
    }
  }
}

/** Throws for a missing or invalid channel. */
function checkedChannel(channel: string, table: string): string {
  if (channel === '')
    throw new Error(
      `unable to subscribe to ${JSON.stringify(table)}. notifyChannel must be set in component metadata or request metadata`
    )
  const why = faultOf('notifyChannel', channel)
  if (why !== undefined) throw new Error(why)
  return channel
}

function tableOf(properties: Properties): string {
  const table = properties.text('table')
  if (table === '') properties.fault('table', 'missing postgreSQL configuration table name')
  const tooLong = `table name is too long - tableName : '${table}'. max allowed field length is ${MAX_NAME}`
  const invalid = `invalid table name '${table}'. non-alphanumerics or upper cased table names are not supported`
  if (table.length > MAX_NAME) properties.fault('table', tooLong)
  return NAME.test(table) ? table : properties.fault('table', invalid)
}

function channelOf(properties: Properties): string {
  const name = properties.has('notifyChannel') ? 'notifyChannel' : 'pgNotifyChannel'
  const channel = properties.text(name)
  const why = faultOf('notifyChannel', channel)
  return why === undefined ? channel : properties.fault(name, why)
}

function faultOf(what: string, name: string): string | undefined {
  if (name.length > MAX_NAME)
    return `${what} name is too long - ${JSON.stringify(name)}. max allowed length is ${MAX_NAME}`
  if (NAME.test(name)) return undefined
  return `invalid ${what} name ${JSON.stringify(name)}. non-alphanumerics or upper cased names are not supported`
}

/** Returns the item with the highest version of each key. A version that is not a number counts as the lowest. */
function newestOf(rows: readonly Row[]): ConfigurationItems {
  const items = emptyRecord<ConfigurationItem>()
  const numbers = new Map<string, number>()
  for (const row of rows) {
    const number = /^[-+]?\d+$/.test(row.version ?? '') ? Number(row.version) : -1
    const known = numbers.get(row.key)
    if (known !== undefined && number <= known) continue
    numbers.set(row.key, number)
    items[row.key] = itemOf(row)
  }
  return items
}

const itemOf = ({value, version, metadata}: Row): ConfigurationItem => ({
  value: value ?? '',
  version: version ?? '',
  metadata: isObject(metadata)
    ? Object.fromEntries(
        Object.entries(metadata).map(([name, each]) => [name, typeof each === 'string' ? each : exactText(each)])
      )
    : {}
})

/** Reads a notification of the trigger: the item of the row in `data`, empty if `action` is DELETE. Returns a text about a mistake. */
function itemsOf(payload: string): ConfigurationItems | string {
  let body: unknown
  try {
    body = parseExactly(payload)
  } catch (error) {
    return `no JSON (${messageOf(error)})`
  }
  const data = isObject(body) ? body['data'] : undefined
  if (!isObject(body) || !isObject(data)) return 'no object with a row in "data"'
  const fields = Object.fromEntries(Object.entries(data).map(([name, value]) => [name.toLowerCase(), value]))
  const textOf = (name: string): string => {
    const value = fields[name] ?? ''
    return typeof value === 'string' ? value : exactText(value)
  }
  const isGone = body['action'] === 'DELETE'
  const row = {key: textOf('key'), value: textOf('value'), version: textOf('version'), metadata: fields['metadata']}
  return {[row.key]: isGone ? {value: '', version: '', metadata: {}} : itemOf(row)}
}
