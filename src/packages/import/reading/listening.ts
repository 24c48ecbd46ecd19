import {join} from 'node:path'
import {isDataServer} from '../../../files/config/data-server.ts'
import {ownOf} from '../../../model/own.ts'
import {shellQuoted} from '../../../model/shell-quoted.ts'
import type {ImportedApp, ListensAt, Takes} from '../imported.ts'
import {envFileVariables, portNumber} from './variables.ts'
import {flaggedPort, hasMovedBind, portVariable} from './shell-words.ts'
import {given, mapOf, textsOf, textValue} from './yaml-file.ts'

// Evidence of the number at which a service is called, strongest first. Each source of import keeps this order.
// 1. URLs of other services that name it (`called-ports.ts`): its callers use that number, whatever the program says.
// 2. `ports:` and `expose:` of a compose file: exact, while a command may also name addresses that it only calls.
// 3. Flags and variables of its command line.
// 4. Its own code and settings, the part behind `if __name__ == "__main__":` too.
// 5. EXPOSE of its Dockerfile, which says nothing of a development server.
// 6. The default of its framework. Only this one is a guess, and the template marks it.

/** A number that no file has, and the way to another one. */
export const byDefault = (name: string, port: number, takes?: Takes): ListensAt => ({
  port,
  guess: `the default of ${name}`,
  takes
})

/** Start of a note on calls that pass Pillion by. */
export const NOT_HELD = 'appPort: its calls are not held'

export const UNKNOWN_PORT =
  'appPort: the port on which it listens is not known from its files; autoPort: true gives one to a program that reads PORT'

/** Number at which an app is called on this machine; 0: none is known. */
export const portOfCallers = ({listens}: Pick<ImportedApp, 'listens'>): number => listens?.called ?? listens?.port ?? 0

/** Whether an app is a database, a broker or the like. */
export const isServerApp = ({keys, folder}: Pick<ImportedApp, 'keys' | 'folder'>): boolean =>
  isDataServer({command: textsOf(keys['command']), folder, ready: {kind: 'spawned', timeoutMs: 0}})

/** Whether a program listens at the number in its code, whatever the run gives it. */
export const isFixed = (app: Pick<ImportedApp, 'keys' | 'folder' | 'listens'>): boolean =>
  'appPort' in portKeys(app).keys

/** The keys of a port, the command that gets the number, and notes on doubts. */
function portKeys({keys, folder, listens}: Pick<ImportedApp, 'keys' | 'folder' | 'listens'>): {
  readonly keys: ImportedApp['keys']
  readonly notes: readonly string[]
} {
  if (listens === undefined) return {keys: {}, notes: []}
  const {port, called = port, guess} = listens
  const command = textsOf(keys['command'])
  const takes = listens.takes ?? flagOf(command, port)
  const variable = portVariable(command.join(' '))
  const at = called === 0 ? {autoPort: true} : {port: called}
  const notes = guess === undefined || listens.called !== undefined ? [] : [`guessed: port ${port} (${guess})`]
  if (takes === 'PORT' || variable === 'PORT') return {keys: at, notes}
  const isHooked = hasMovedBind(command, folder)
  if (port > 0 && isHooked) {
    if (called === port) return {keys: at, notes}
    const words = takes !== undefined && 'words' in takes ? takes.words(called.toString()) : undefined
    return {keys: words === undefined ? {...at, fixedPort: port} : {...at, command: words}, notes}
  }
  // copies and their tools know a database by its appPort
  const isOwn = isServerApp({keys, folder})
  if (port > 0 && (isOwn || takes === undefined)) {
    const held = isOwn || called !== port ? [] : [`${NOT_HELD}: have its code read PORT, and write port: ${port}`]
    return {keys: {...(called !== port && at), appPort: port}, notes: [...notes, ...held]}
  }
  if (takes !== undefined && !isHooked) return {keys: {...at, command: withPort(command, takes)}, notes}
  const unread = `port: its files do not say that it reads PORT: if it listens at a number of its own, write appPort: ${called}`
  if (called > 0) return {keys: at, notes: 'appPort' in keys ? notes : [...notes, unread]}
  const named = variable === '' ? UNKNOWN_PORT : `appPort: ${variable} says where it listens: write its number`
  return {keys: {}, notes: variable !== '' || listens.serves === true ? [named] : []}
}

/** An app with the keys of its port. PORT in its variables stays where the run gives it none. */
export function withPortKeys(app: ImportedApp): ImportedApp {
  const {keys, notes} = portKeys(app)
  const {command: words, ...ports} = keys
  const {command = words, env, ...others} = {...app.keys, ...given({command: words})}
  const isGiven = ('port' in ports || 'autoPort' in ports) && !('fixedPort' in ports) && !('appPort' in ports)
  const {PORT, ...rest} = mapOf(env)
  // another number in PORT is that of another server
  const isOwn = [0, app.listens?.port, app.listens?.called].includes(portNumber(textValue(PORT)))
  const kept = PORT === undefined || (isGiven && isOwn) ? rest : {PORT, ...rest}
  return {...app, keys: given({...ports, command, env: kept, ...others}), notes: [...app.notes, ...notes]}
}

/** An app that has become ready, with the ports at which it was seen to listen: one is a fact, several are a question. */
export function withSeenPorts(app: ImportedApp, ports: readonly number[]): ImportedApp {
  const [port = 0, ...more] = ports
  const known = {...app, notes: app.notes.filter(note => !note.startsWith('guessed: port') && note !== UNKNOWN_PORT)}
  if (port === 0 || ['port', 'appPort', 'autoPort'].some(key => key in app.keys)) return known
  if (more.length === 0) return withPortKeys({...known, listens: {port}})
  const question = `--check: it listens on ${ports.join(', ')}: write the one that others call as port`
  return {...known, notes: [...known.notes, question]}
}

/** The way of another number into the flag of a command line, if it has one. */
function flagOf(command: readonly string[], port: number): Takes | undefined {
  if (port === 0 || flaggedPort(command.join(' ')) !== port) return undefined
  // docker publishes the first number: the second one is in the container
  const end = command.includes('docker') ? '(?=:\\d)' : '(?!\\d)'
  const number = new RegExp(`(?<![\\d.])${port}${end}`, 'g')
  return {words: at => command.map(word => word.replaceAll(number, () => at))}
}

/** A command in a shell that reads the number that the run gives. */
function withPort(command: readonly string[], takes: Exclude<Takes, 'PORT'>): readonly string[] {
  const words = 'words' in takes ? takes.words('$PORT') : command
  const isLine = /^(?:ba)?sh$/.test(words[0] ?? '') && /^-\w*c$/.test(words[1] ?? '')
  const line = isLine ? (words[2] ?? '') : `exec ${words.map(quoted).join(' ')}`
  const assigned = 'words' in takes ? '' : `${takes.variable}=$PORT`
  const before = assigned === '' ? '' : isLine ? `export ${assigned}; ` : `${assigned} `
  return [isLine ? (words[0] ?? 'sh') : 'sh', '-c', before + line]
}

/** A word for a shell that replaces PORT in it. */
const quoted = (word: string): string =>
  word
    .split('$PORT')
    .map(part => (/^(?:[\w@%+:,./-][\w@%+=:,./-]*)?$/.test(part) ? part : shellQuoted(part)))
    .join('$PORT')

/** Variables with the port of another server. */
const OF_OTHERS =
  'DB|DATABASE|SQL|PG|POSTGRES|POSTGRESQL|MYSQL|MONGO|MONGODB|REDIS|CACHE|RABBIT|RABBITMQ|AMQP|QUEUE|KAFKA|NATS|MQTT|SMTP|MAIL|EMAIL|ELASTIC|METRICS|DAPR_HTTP|DAPR_GRPC'

/** How programs write their port, best first: behind PORT, as a default of `process.env`, where they listen, in a setting. */
const PORTS = [
  new RegExp(
    `(?<!(?:${OF_OTHERS})_)PORT\\b[^\\n;,]{0,40}?(?:\\|\\||\\?\\?|,|\\?[^\\n;:?]{1,60}:)\\s*["'\`]?(\\d{4,5})\\b`
  ),
  /\{[^{}]{0,300}\bPORT\s?=\s?["'`]?(\d{4,5})\b[^{}]{0,300}\}\s?=\s?process\.env/,
  /(?:listen\(\s*(?=\d{4})|\.run\([^)]*port\s*=\s*|Server\(\s*\(\s*["'][^"']*["'],\s*|ServerSocket\(|HttpServer\.create\(\s*new InetSocketAddress\()(\d{2,5})\b/i,
  /(?:^|[\s{,(])(?:port["']?\s*(?::\s*number\s*)?[:=]|set :port,)\s*["'`]?(\d{4,5})\b/im
]

/** Numbers of mail servers, databases and brokers: behind `port:` alone a program calls them. */
const OF_SERVERS = new Set('1025 2525 3306 4222 5432 5672 6379 9092 9200 11211 27017'.split(' '))

/** The port that a program's text names; 0: none. */
export const portIn = (text: string): number => {
  const found = PORTS.map(each => each.exec(text)?.[1])
  const isCalled = found.slice(0, -1).every(each => each === undefined) && OF_SERVERS.has(found.at(-1) ?? '')
  return isCalled ? 0 : Number(found.find(port => port !== undefined) ?? 0)
}

/** A variable of the environment whose name ends in PORT, as languages read it. */
const VARIABLE = new RegExp(
  `(?:\\benv\\.|(?:(?:env|environ|getenv|var)\\w*(?:\\.(?:get|fetch))?|\\bconfigService\\.get(?:OrThrow)?(?:<\\w+>)?)[([]\\s*["'\`])((?!(?:\\w*_)?(?:${OF_OTHERS})_)(?:[A-Z]\\w*_)?PORT)\\b`,
  'gi'
)

type Values = Readonly<Record<string, string | undefined>>

/** Whether a variable with the same prefix has the host of another server: its value is not an address at which a program listens. */
function isOfOther(name: string, text: string, env: Values): boolean {
  const host = name.replace(/PORT$/, 'HOST')
  if (name === 'PORT' || (ownOf(env, host) === undefined && !new RegExp(`\\b${host}\\b`).test(text))) return false
  const written = new RegExp(`\\b${host}\\b[^\\n;]{0,30}?(?:\\|\\||\\?\\?|,)\\s*["'\`]([^"'\`]*)`).exec(text)?.[1]
  return !['', '0.0.0.0', '::'].includes(ownOf(env, host) ?? written ?? 'unknown')
}

/** The one variable from which a program's text takes its port; '': none, or one of several. */
function variableIn(text: string, env: Values = {}): string {
  const names = [...text.matchAll(VARIABLE)].map(([, name = '']) => name).filter(name => name === name.toUpperCase())
  if (names.includes('PORT') || /\{[^{}]{0,300}\bPORT\b[^{}]{0,300}\}\s?=\s?process\.env/.test(text)) return 'PORT'
  const own = new Set(names.filter(name => !isOfOther(name, text, env)))
  return own.size === 1 ? ([...own][0] ?? '') : ''
}

/** Finds the port of a program in its text, and in the `.env` that it reads. */
export function listeningIn(text: string, folder: string, env: Values = {}): ListensAt {
  const known = {...envFileVariables(join(folder, '.env')), ...env}
  const name = variableIn(text, known)
  const written = name === '' ? 0 : Number(ownOf(known, name) ?? 0)
  const takes = name === '' ? undefined : name === 'PORT' ? name : {variable: name}
  return {port: written || portIn(text), takes, serves: SERVES.test(text)}
}

/** A call that serves, in the languages whose files a line names. */
export const SERVES =
  /\.listen\((?!\))|createServer|\bserve\(|serve_forever|\.run\(|Server\(|\bsinatra\b|ListenAndServe|ServerSocket\(|HttpServer\.create\(/i
