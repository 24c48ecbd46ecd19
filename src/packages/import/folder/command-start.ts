import {join} from 'node:path'
import {packageScript} from '../../../files/config/package-script.ts'
import {readText} from '../reading/files.ts'
import {isOfPort, listeningIn, listeningKeys, type PortKeys, type ListensAt} from '../reading/listening.ts'
import {flaggedPort, portVariable, readsPort, defaultPort} from '../reading/shell-words.ts'
import {dotnetListening} from './languages/dotnet.ts'
import {phoenixListening} from './languages/frameworks.ts'
import {addressedIn, mainText} from './languages/go.ts'
import {quarkusListening, springListening} from './languages/java.ts'
import {nodeListening} from './languages/node.ts'
import type {ProgramVariables} from './languages/project.ts'
import {inVenv} from './languages/python.ts'

/** Readers of the ports of programs, by patterns of their command lines. */
const PROGRAMS: readonly (readonly [
  RegExp,
  (folder: string, env: ProgramVariables, match: readonly string[]) => ListensAt
])[] = [
  [/\bspring-boot:run\b|\bbootRun\b/, (folder, env) => springListening(folder, env)],
  [/\bquarkus:dev\b|\bquarkusDev\b/, quarkusListening],
  [/\bdotnet (?:run|watch)\b/, dotnetListening],
  [/\bmix phx\.server\b/, phoenixListening],
  [/\bgo run (?:-\S+ )*(\S+)/, (folder, env, [, path = '.']) => addressedIn(mainText(join(folder, path)), folder, env)],
  [/\bcargo (?:run|watch)\b/, (folder, env) => addressedIn(readText(folder, 'src/main.rs'), folder, env)]
]

/** Finds the port of a command line's program: by its flags, its script, its settings and code, or by default. `env` has its variables. */
export function commandListening(command: readonly string[], folder: string, env: ProgramVariables): ListensAt {
  const line = command.join(' ')
  const flagged = flaggedPort(line)
  if (flagged > 0) return {port: flagged}
  if (portVariable(line) !== '') return {port: Number(env[portVariable(line)] ?? 0)}
  const words = line.replace(/^(?:\w+=\S* )+/, '').split(/\s+/)
  const script = /^(?:npm|pnpm|yarn|bun)$/.test(words[0] ?? '') ? packageScript(words.slice(1), folder) : undefined
  if (script !== undefined) {
    const found = nodeListening(script.script, command, script.folder, env)
    return {...found, serves: found.port === 0 && SERVES_PARTS.test(script.script)}
  }
  for (const [pattern, listening] of PROGRAMS) {
    const match = pattern.exec(line)
    if (match !== null) return listening(folder, env, match)
  }
  if (readsPort(line)) return {...(defaultPort(line) ?? {port: 0}), takes: 'PORT'}
  const text = words.map(word => textOf(word, folder)).join('\n')
  const isNode = /\b(?:node|nodemon|tsx|ts-node|ts-node-dev|deno|bun)\b/.test(line)
  if (isNode && text.trim() === '') return nodeListening(line, command, folder, env)
  const found = listeningIn(text, folder, env)
  if (found.port > 0 || found.takes !== undefined) return found
  return defaultPort(line) ?? {port: 0, serves: SERVES.test(text) || (text.trim() === '' && SERVER_NAME.test(line))}
}

/**
 * The keys of a command. `exact` is a number that comes before its own, `other` one that comes before a guess. A program that nothing calls
 * gets a mark about its unknown port only if it serves.
 */
export function commandStart(
  given: readonly string[],
  folder: string,
  env: ProgramVariables,
  {exact = 0, other = 0}: {readonly exact?: number; readonly other?: number} = {}
): PortKeys {
  const command = inVenv(given, folder)
  const found = commandListening(command, folder, env)
  const port = exact || (found.guess === undefined ? found.port : 0) || other
  const takes = found.takes ?? (port > 0 && env['PORT'] === port.toString() ? 'PORT' : undefined)
  const start = listeningKeys(command, folder, port > 0 ? {port, takes} : found)
  const isQuiet = port === 0 && found.port === 0 && found.serves !== true
  return isQuiet ? {keys: {...start.keys, command}, notes: start.notes.filter(note => !isOfPort(note))} : start
}

/** A call that serves, in the languages whose files a line names. */
const SERVES = /\.listen\(|createServer|\bserve\(|serve_forever|\.run\(|Server\(/

/** Tools that start the servers of several packages. */
const SERVES_PARTS = /\b(?:turbo|nx)\b.*\b(?:dev|start|serve)\b/

/** The name of a program that serves, as it is built: `bin/proxy`. */
const SERVER_NAME = /^\S*?\b(?:api|gateway|proxy|server|web)(?:\s|$)/

/** The text of the file that a word of a command names: `app.py`, or `shop.app` and `app:api` of Python. */
const textOf = (word: string, folder: string): string =>
  /\.\w+$/.test(word) && readText(folder, word) !== ''
    ? readText(folder, word)
    : readText(folder, `${word.replace(/:\w+$/, '').replaceAll('.', '/')}.py`)
