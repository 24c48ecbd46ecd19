import {join} from 'node:path'
import {isDataServer} from '../../../files/config/data-server.ts'
import {ownOf} from '../../../model/own.ts'
import {shellQuoted} from '../../../model/shell-quoted.ts'
import type {ImportedApp} from '../imported.ts'
import {envFileVariables} from './variables.ts'
import {flaggedPort, hasMovedBind, portVariable} from './shell-words.ts'
import {textsOf} from './yaml-file.ts'

// Evidence of the number at which a service is called, strongest first. Each source of import keeps this order.
// 1. URLs of other services that name it (`called-ports.ts`): its callers use that number, whatever the program says.
// 2. `ports:` and `expose:` of a compose file: exact, while a command may also name addresses that it only calls.
// 3. Flags and variables of its command line.
// 4. Its own code and settings, the part behind `if __name__ == "__main__":` too.
// 5. EXPOSE of its Dockerfile, which says nothing of a development server.
// 6. The default of its framework. Only this one is a guess, and the template marks it.

/** How a program gets the number at which it listens: in PORT, in another variable, or as words of its command. */
export type Takes =
  | 'PORT'
  | {readonly variable: string; readonly value?: string}
  | {readonly words: (port: string) => readonly string[]}

/** Port of a program by its files. */
export interface ListensAt {
  /** 0: its files do not tell. */
  readonly port: number
  /** The owner of a default, such as `the default of uvicorn`; absent: a file has the number. */
  readonly guess?: string
  /** Set if it serves at an unknown number. */
  readonly serves?: boolean
  /** Absent: its code decides. */
  readonly takes?: Takes | undefined
}

/** A number that no file has, and the way to another one. */
export const byDefault = (name: string, port: number, takes?: Takes): ListensAt => ({
  port,
  guess: `the default of ${name}`,
  takes
})

/** Start of a note on a number that no file has. */
export const GUESSED = 'guessed: port '
/** Start of a note on calls that pass Pillion by. */
export const NOT_HELD = 'appPort: its calls are not held'

/** Whether a note is about the number of a program. */
export const isOfPort = (note: string): boolean => note.startsWith('appPort:') || note.startsWith(GUESSED)

/** Note on a number that is not known. */
export const UNKNOWN_PORT =
  'appPort: the port on which it listens is not known from its files; autoPort: true gives one to a program that reads PORT'

/** Keys of a program that is called at a number, the way to another one, and notes on doubts. */
export type PortKeys = Required<Pick<ImportedApp, 'keys' | 'notes'>> & Pick<ImportedApp, 'move'>

/** The keys of a program that is called at its own number, the way to another number, and notes on doubts. */
export function listeningKeys(command: readonly string[], folder: string, {port, guess, takes}: ListensAt): PortKeys {
  const isHooked = hasMovedBind(command, folder)
  const isServer = isDataServer({command, folder, ready: {kind: 'spawned', timeoutMs: 0}})
  const variable = portVariable(command.join(' '))
  const isTold = takes === 'PORT' || variable === 'PORT'
  if (port === 0) {
    const named = variable === '' ? UNKNOWN_PORT : `appPort: ${variable} says where it listens: write its number`
    if (isTold) return {keys: {autoPort: true, command}, move: () => ({}), notes: []}
    const isNamed = typeof takes === 'object' && 'variable' in takes && !isHooked
    return isNamed
      ? {keys: {autoPort: true, command: withPort(command, takes)}, move: () => ({}), notes: []}
      : {keys: {command}, notes: [named]}
  }
  const words = takes === undefined ? wordsWith(command, port) : takes
  const notes = guess === undefined ? [] : [`${GUESSED}${port} (${guess})`]
  if (isTold || isHooked) {
    const move = (at: number): ImportedApp['keys'] => {
      if (typeof words === 'object' && 'words' in words) return {command: words.words(at.toString())}
      return isTold ? {} : {fixedPort: port}
    }
    return {keys: {port, command}, move, notes}
  }
  // copies and their tools know a database by its appPort
  if (isServer) return {keys: {appPort: port, command}, notes}
  if (words === undefined || words === 'PORT') {
    const held = `${NOT_HELD}: have its code read PORT, and write port: ${port}`
    return {keys: {appPort: port, command}, notes: [...notes, held]}
  }
  return {keys: {port, command: withPort(command, words)}, move: () => ({}), notes}
}

/** An app that others call at a number, with the way in which it takes that; one of its own code keeps its appPort. */
export function calledAt<T extends PortKeys>(app: T, port: number): T {
  const {keys, move, notes} = app
  if (port === Number(keys['port'] ?? keys['appPort'] ?? 0))
    return {...app, notes: notes.filter(note => !note.startsWith(GUESSED))}
  const {port: _port, autoPort: _auto, ...others} = {...keys, ...move?.(port)}
  return {
    ...app,
    keys: {port, ...others},
    notes: notes.filter(note => ![GUESSED, NOT_HELD, UNKNOWN_PORT].some(each => note.startsWith(each)))
  }
}

/** An app that has become ready, with the ports at which it was seen to listen: one is a fact, several are a question. */
export function withSeenPorts(app: ImportedApp, ports: readonly number[]): ImportedApp {
  const [port = 0, ...more] = ports
  const known = app.notes.filter(note => ![GUESSED, UNKNOWN_PORT].some(each => note.startsWith(each)))
  if (port === 0 || ['port', 'appPort', 'autoPort'].some(key => key in app.keys)) return {...app, notes: known}
  if (more.length > 0)
    return {
      ...app,
      notes: [...known, `--check: it listens on ${ports.join(', ')}: write the one that others call as port`]
    }
  const {command, ...others} = app.keys
  const {keys, notes} = listeningKeys(textsOf(command), app.folder, {port})
  return {...app, keys: {...keys, ...others}, notes: [...known, ...notes]}
}

/** Returns a command line with another number in its flag, if it has one. */
function wordsWith(command: readonly string[], port: number): Takes | undefined {
  if (flaggedPort(command.join(' ')) !== port) return undefined
  // docker publishes the first number: the second one is in the container
  const end = command.includes('docker') ? '(?=:\\d)' : '(?!\\d)'
  const number = new RegExp(`(?<![\\d.])${port}${end}`, 'g')
  return {words: at => command.map(word => word.replaceAll(number, () => at))}
}

/** A command in a shell that reads the number that the run gives. */
function withPort(command: readonly string[], takes: Exclude<Takes, 'PORT'>): readonly string[] {
  const words = 'words' in takes ? takes.words('$PORT') : command
  const isLine = words[0] === 'sh' || words[0] === 'bash'
  const line = isLine ? (words[2] ?? '') : `exec ${words.map(quoted).join(' ')}`
  const assigned = 'words' in takes ? '' : `${takes.variable}=${takes.value ?? '$PORT'}`
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

/** How programs write their port, best first: behind the variable, in a call, as an address, in a constant. */
const PORTS = [
  new RegExp(`(?<!(?:${OF_OTHERS})_)PORT\\b[^\\n;,]{0,40}?(?:\\|\\||\\?\\?|,)\\s*["'\`]?(\\d{4,5})\\b`),
  /\{[^{}]{0,300}\bPORT\s?=\s?["'`]?(\d{4,5})\b[^{}]{0,300}\}\s?=\s?process\.env/,
  /(?:listen\(\s*(?=\d{4})|\.run\([^)]*port\s*=\s*|Server\(\s*\(\s*["'][^"']*["'],\s*)(\d{2,5})\b/i,
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
  `(?:\\benv\\.|(?:env|environ|getenv|var)\\w*(?:\\.(?:get|fetch))?[([]\\s*["'\`])((?!(?:\\w*_)?(?:${OF_OTHERS})_)(?:[A-Z]\\w*_)?PORT)\\b`,
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
export function variableIn(text: string, env: Values = {}): string {
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
  return {port: written || portIn(text), takes}
}
