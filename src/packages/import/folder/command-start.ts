import type {ListensAt} from '../imported.ts'
import {join} from 'node:path'
import {packageScript} from '../../../files/config/package-script.ts'
import {portOfDockerfile} from '../reading/dockerfile.ts'
import {has, readText, sourcesIn, textAt} from '../reading/files.ts'
import {FRAMEWORKS, frameworkListening, type Framework} from '../reading/frameworks.ts'
import {byDefault, listeningIn, SERVES} from '../reading/listening.ts'
import {flaggedPort, portVariable} from '../reading/shell-words.ts'
import {portNumber, type ProgramVariables} from '../reading/variables.ts'
import {addressedIn, dotnetListening, mainText} from './languages/others.ts'
import {quarkusPort, springPort} from './languages/java.ts'
import {OTHER_SCRIPT, readPackage, STARTS_PARTS} from './languages/node.ts'
import {inVenv} from './languages/python.ts'

/** All known programs, best first. */
const PROGRAMS: readonly Framework[] = [
  {start: /\bspring-boot:run\b|\bbootRun\b/, port: 8080, takes: {variable: 'SERVER_PORT'}, read: springPort},
  {start: /\bquarkus:dev\b|\bquarkusDev\b/, port: 8080, takes: {variable: 'QUARKUS_HTTP_PORT'}, read: quarkusPort},
  {start: /\bdotnet (?:run|watch)\b/, port: 0, read: dotnetListening},
  {
    start: /\bmix phx\.server\b/,
    port: 4000,
    read: folder => listeningIn(readText(folder, 'config/dev.exs'), folder)
  },
  {
    start: /\bgo run (?:-\S+ )*(\S+)/,
    port: 0,
    read: (folder, env, [, path = '.']) => withOthers(addressedIn(mainText(join(folder, path)), folder, env), folder)
  },
  {
    start: /\bcargo (?:run|watch)\b/,
    port: 0,
    read: (folder, env) => withOthers(addressedIn(readText(folder, 'src/main.rs'), folder, env), folder)
  },
  ...FRAMEWORKS
]

/** Whether other files of a program serve, and the number of its image then. */
function withOthers(found: ListensAt, folder: string): ListensAt {
  const serves = found.serves === true || sourcesIn(folder).some(path => SERVES.test(textAt(path)))
  return {...found, port: found.port || (serves ? portOfDockerfile(join(folder, 'Dockerfile')) : 0), serves}
}

/** Finds the port of a command line's program: by its flags, its script, its settings and code, or by default. `env` has its variables. */
export function commandListening(command: readonly string[], folder: string, env: ProgramVariables): ListensAt {
  const line = command.join(' ')
  const words = line.replace(/^(?:\w+=\S* )+/, '').split(/\s+/)
  const isScript = /^(?:npm|pnpm|yarn|bun)$/.test(words[0] ?? '') && flaggedPort(line) === 0
  const script = isScript ? packageScript(words.slice(1), folder) : undefined
  return lineListening(script?.script ?? line, command, script?.folder ?? folder, env)
}

function lineListening(
  line: string,
  command: readonly string[],
  folder: string,
  env: ProgramVariables,
  depth = 0
): ListensAt {
  const [flagged, variable] = [flaggedPort(line), portVariable(line)]
  if (flagged > 0) return {port: flagged}
  if (variable !== '') return {port: portNumber(env[variable] ?? ''), takes: variable === 'PORT' ? variable : undefined}
  const [, other = '', more = ''] = OTHER_SCRIPT.exec(line) ?? []
  const script = other === '' ? undefined : packageScript(['run', other], folder)
  if (script !== undefined && depth < 3) return lineListening(script.script + more, command, folder, env, depth + 1)
  const known = frameworkListening(PROGRAMS, line, command, folder, env)
  if (known !== undefined) return known
  const text = textFor(line, command, folder)
  const found = listeningIn(text, folder, env)
  const [, usual = 0, name = '', way] = (SERVES.test(text) && TEXTS.find(([pattern]) => pattern.test(text))) || []
  const takes = found.takes ?? way
  if (found.port > 0) return {port: found.port, takes}
  if (usual > 0) return byDefault(name, usual, takes)
  return {port: 0, takes, serves: SERVES.test(text) || STARTS_PARTS.test(line)}
}

/** Frameworks of programs that serve by themselves, by their text: its default, the name of that, and how it takes another number. */
const TEXTS: readonly (readonly [RegExp, number, string, ListensAt['takes']])[] = [
  [/\b(?:FastAPI|Starlette|Litestar)\(/, 8000, 'uvicorn', undefined],
  [/\bFlask\(/, 5000, 'Flask', undefined],
  [/\bsinatra\b/i, 4567, 'Sinatra', 'PORT']
]

/** The usual files of a Node program that listens. */
const ENTRIES = ['src/main', 'src/index', 'src/server', 'src/app', 'server', 'index', 'app', 'main'].flatMap(name =>
  ['ts', 'js', 'mjs', 'cjs'].map(end => `${name}.${end}`)
)

/** The text of the program that a line starts: of the file that it names, or of the usual one that serves. */
function textFor(line: string, command: readonly string[], folder: string): string {
  const named = line.split(/\s+/).map(word => textOf(word, folder))
  const isNode = /\b(?:node|nodemon|tsx|ts-node|ts-node-dev|deno|bun|nest)\b/.test(`${line} ${command[0] ?? ''}`)
  const isScript = /^(?:npm|pnpm|yarn|bun)$/.test(command[0] ?? '')
  const {main} = readPackage(folder) ?? {}
  const entries = [...(typeof main === 'string' ? [main] : []), ...ENTRIES]
  const isOpen = isScript || (isNode && named.join('').trim() === '')
  const usual = isOpen ? entries.filter(name => has(folder, name)).map(name => readText(folder, name)) : []
  return [...named, ...usual].find(text => SERVES.test(text)) ?? named.join('\n')
}

/** The text of the file that a word of a command names: `app.py`, or `shop.app` and `app:api` of Python. */
const textOf = (word: string, folder: string): string =>
  /\.\w+$/.test(word) && readText(folder, word) !== ''
    ? readText(folder, word)
    : readText(folder, `${word.replace(/:\w+$/, '').replaceAll('.', '/')}.py`)

/**
 * Returns a command, and where its program listens by the strongest evidence. Of other sources: `exact` comes before its own number,
 * `other` before a guess; the unknown number of a server has a mark; `found` is the port of a program that its reader knows.
 */
export function commandStart(
  given: readonly string[],
  folder: string,
  env: ProgramVariables,
  known: {
    readonly exact?: number
    readonly other?: number
    readonly isServer?: boolean
    readonly found?: ListensAt | undefined
  } = {}
): {readonly command: readonly string[]; readonly listens: ListensAt} {
  const {exact = 0, other = 0, isServer = false} = known
  const command = inVenv(given, folder)
  const found = known.found ?? commandListening(command, folder, env)
  // a program that takes no other number has its default
  const own = found.guess === undefined || found.takes === undefined ? found.port : 0
  const port = exact || own || other
  const takes = found.takes ?? (port > 0 && found.port === 0 && env['PORT'] === port.toString() ? 'PORT' : undefined)
  const isOther = port > 0 && (exact > 0 || own === 0)
  return {command, listens: isOther ? {port, takes} : {...found, takes, serves: found.serves === true || isServer}}
}
