import {availableParallelism} from 'node:os'
import {resolve} from 'node:path'
import {Pool, type PoolConfig} from 'pg'
import {messageOf} from '../../../model/errors.ts'
import {readTextFile} from '../../../model/read-file.ts'
import type {OpenOptions} from '../component.ts'
import {connectFailure, type Properties} from '../properties.ts'

type Keywords = ReadonlyMap<string, string>
type Tls = Exclude<PoolConfig['ssl'], undefined>

const DEFAULT_PORT = 5432
const DEFAULT_TIMEOUT_MS = 20_000
const DEFAULT_IDLE_MS = 30 * 60_000
const SECOND_MS = 1000

/** Returns the timeout of one operation, in ms. */
export function timeoutOf(properties: Properties): number {
  const name = properties.has('timeout') ? 'timeout' : 'timeoutInSeconds'
  const ms = properties.durationMs(name, DEFAULT_TIMEOUT_MS, SECOND_MS)
  return ms < SECOND_MS ? properties.fault(name, "invalid value for 'timeout': must be greater than 1s") : ms
}

/**
 * Opens a pool of connections to the PostgreSQL of a component, and makes the first connection. `prefix`: words before an error. All of
 * Dapr's components share the settings (components-contrib: common/authentication/postgresql).
 */
export async function openPool(prefix: string, {properties, env, folder}: OpenOptions): Promise<Pool> {
  for (const name of ['useAzureAD', 'useAWSIAM'])
    if (properties.boolean(name)) properties.fault(name, `${name} is not supported here: use a password`)
  const keywords = keywordsOf(properties)
  const config = configOf(keywords, properties, env)
  const at = addressOf(config)
  const refuse = (error: unknown): never =>
    properties.fault(properties.has('url') ? 'url' : 'connectionString', `${prefix} at ${at}: ${connectFailure(error)}`)
  const mode = keywords.get('sslmode') ?? env['PGSSLMODE'] ?? 'prefer'
  try {
    const ssl = tlsOf(mode, keyword => fileOf(folder, keywords.get(keyword)))
    return await connect({...config, ssl})
  } catch (error) {
    // these modes accept a server without TLS
    const isPlainToo = ['prefer', 'allow'].includes(mode) && messageOf(error) === NO_TLS
    return isPlainToo ? connect({...config, ssl: false}).catch(refuse) : refuse(error)
  }
}

/** The message of the package `pg` for a server without TLS. */
const NO_TLS = 'The server does not support SSL connections'

async function connect(config: PoolConfig): Promise<Pool> {
  const pool = new Pool(config)
  // a lost idle connection is replaced at the next use
  pool.on('error', () => undefined)
  try {
    const first = await pool.connect()
    first.release()
    return pool
  } catch (error) {
    await pool.end()
    throw error
  }
}

/** Keywords about the connection itself; all others are settings of the session, as in pgx. */
const KNOWN = new Set(
  `host hostaddr port user password dbname sslmode sslcert sslkey sslrootcert connect_timeout application_name options
  passfile service servicefile sslpassword sslsni sslnegotiation krbspn krbsrvname target_session_attrs min_protocol_version max_protocol_version
  channel_binding pool_max_conns pool_min_conns pool_max_conn_lifetime pool_max_conn_lifetime_jitter pool_max_conn_idle_time
  pool_health_check_period default_query_exec_mode statement_cache_capacity description_cache_capacity`.split(/\s+/)
)

function configOf(keywords: Keywords, properties: Properties, env: OpenOptions['env']): PoolConfig {
  const [host = keywords.get('host'), user, password, database] = ['hostaddr', 'user', 'password', 'dbname'].map(key =>
    keywords.get(key)
  )
  if (host?.includes(',') === true) properties.fault('connectionString', 'several hosts are not supported here')
  const port = Number(keywords.get('port') ?? env['PGPORT'] ?? DEFAULT_PORT)
  if (!Number.isInteger(port)) properties.fault('connectionString', 'the port must be a number')
  const max = properties.integer('maxConns', 0)
  const idle = properties.has('connectionMaxIdleTime') ? 'connectionMaxIdleTime' : 'connMaxIdleTime'
  const settings = [...keywords].filter(([key]) => !KNOWN.has(key))
  const options = [
    keywords.get('options') ?? '',
    ...settings.map(([key, value]) => `-c ${key}=${value.replace(/[\\\s]/g, String.raw`\$&`)}`)
  ]
  const timeoutMs = timeoutOf(properties)
  const connectMs = Number(keywords.get('connect_timeout') ?? 0) * SECOND_MS
  return {
    host: host ?? env['PGHOST'] ?? 'localhost',
    port,
    user,
    password,
    database,
    application_name: keywords.get('application_name'),
    options: options.join(' ').trim() || undefined,
    // at least four, as in Go's pgx
    max: max > 1 ? max : Number(keywords.get('pool_max_conns') ?? Math.max(4, availableParallelism())),
    idleTimeoutMillis: properties.durationMs(idle, DEFAULT_IDLE_MS, SECOND_MS) || DEFAULT_IDLE_MS,
    connectionTimeoutMillis: connectMs || timeoutMs,
    query_timeout: timeoutMs
  }
}

/** Returns the TLS options for a mode of libpq (PostgreSQL: 34.19. SSL Support). */
function tlsOf(mode: string, read: (keyword: string) => string | undefined): Tls {
  if (mode === 'disable') return false
  const [ca, cert, key] = ['sslrootcert', 'sslcert', 'sslkey'].map(read)
  const files = {...(ca !== undefined && {ca}), ...(cert !== undefined && {cert}), ...(key !== undefined && {key})}
  if (mode === 'verify-full') return files
  if (mode === 'verify-ca' || (mode === 'require' && ca !== undefined))
    return {...files, checkServerIdentity: () => undefined}
  if (['prefer', 'allow', 'require'].includes(mode)) return {...files, rejectUnauthorized: false}
  throw new Error(`sslmode "${mode}" is none of disable, allow, prefer, require, verify-ca, verify-full`)
}

const fileOf = (folder: string, path = ''): string | undefined =>
  path === '' ? undefined : readTextFile(resolve(folder, path))

const addressOf = ({host = '', port = DEFAULT_PORT}: PoolConfig): string =>
  host.startsWith('/') ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`

/** Properties that replace a keyword of the connection string (components-contrib: common/authentication/postgresql). */
const REPLACEMENTS = {
  host: 'host',
  hostaddr: 'hostaddr',
  port: 'port',
  user: 'user',
  password: 'password',
  database: 'dbname',
  sslRootCert: 'sslrootcert'
}

const PAIR = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s\\]|\\.)*))\s*/suy
const ESCAPE = /\\(.)/gsu

/**
 * Returns the keywords of a connection to PostgreSQL with their values, of `connectionString` (`url`), as pairs or as a URL, and of properties that replace one (PostgreSQL: 34.1.1. Connection Strings). Faults never show the string: it may
 * hold a password.
 */
function keywordsOf(properties: Properties): ReadonlyMap<string, string> {
  const name = properties.has('connectionString') ? 'connectionString' : 'url'
  const text = properties.text(name)
  const keywords = /^postgres(?:ql)?:\/\//.test(text) ? ofUrl(text) : ofPairs(text)
  if (typeof keywords === 'string') return properties.fault(name, `${name} ${keywords}`)
  for (const [property, keyword] of Object.entries(REPLACEMENTS))
    if (properties.has(property)) keywords.set(keyword, properties.text(property))
  if (keywords.size === 0) properties.fault('connectionString', 'connectionString is missing')
  return keywords
}

/** Reads `host=localhost user=me password='a b'`. Returns a text for a mistake. */
function ofPairs(text: string): Map<string, string> | string {
  const keywords = new Map<string, string>()
  PAIR.lastIndex = 0
  while (PAIR.lastIndex < text.length) {
    const start = PAIR.lastIndex
    const [, key = '', quoted, plain = ''] = PAIR.exec(text) ?? []
    if (key === '')
      return `must be a URL, or pairs like "host=localhost user=me": it is neither from character ${start + 1} on`
    keywords.set(keywordOf(key), (quoted ?? plain).replace(ESCAPE, '$1'))
  }
  return keywords
}

/** Reads `postgres://me:secret@localhost:5432/orders?sslmode=disable`. Returns a text for a mistake. */
function ofUrl(text: string): Map<string, string> | string {
  try {
    const {username, password, hostname, port, pathname, searchParams} = new URL(text)
    const parts = {user: username, password, host: hostname.replace(/^\[|\]$/g, ''), port, dbname: pathname.slice(1)}
    const given = Object.entries(parts).filter(([, value]) => value !== '')
    return new Map([
      ...given.map(([key, value]): [string, string] => [key, decodeURIComponent(value)]),
      ...[...searchParams].map(([key, value]): [string, string] => [keywordOf(key), value])
    ])
  } catch {
    return 'is not a valid URL (characters like @ and / in a password are written %40 and %2F)'
  }
}

const keywordOf = (key: string): string => (key === 'database' ? 'dbname' : key)
