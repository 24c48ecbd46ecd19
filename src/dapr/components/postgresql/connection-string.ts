import type {Properties} from '../properties.ts'

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
export function keywordsOf(properties: Properties): ReadonlyMap<string, string> {
  const name = properties.has('connectionString') ? 'connectionString' : 'url'
  const text = properties.text(name)
  const keywords = /^postgres(?:ql)?:\/\//.test(text) ? ofUrl(text) : ofPairs(text)
  if (typeof keywords === 'string') return properties.fault(name, `${name} ${keywords}`)
  for (const [property, keyword] of Object.entries(REPLACEMENTS))
    if (properties.has(property)) keywords.set(keyword, properties.text(property))
  if (keywords.size === 0) properties.fault('connectionString', 'connectionString is missing')
  return keywords
}

/** `host=localhost user=me password='a b'`; or a text with the mistake. */
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
