import {basename, join} from 'node:path'
import {commandsOfDockerfile, portOfDockerfile, runsInFolder, variablesOfDockerfile} from '../../reading/dockerfile.ts'
import type {ImportedApp} from '../../imported.ts'
import {has, readText} from '../../reading/files.ts'
import {commandPort, hasMovedBind, portVariable} from '../../reading/shell-words.ts'
import {given} from '../../reading/yaml-file.ts'

/** How the projects of one language are found in a folder, and started. */
export interface ProjectReader {
  /** The programs that the project files of a folder make. */
  readonly appsIn: (folder: string) => readonly ImportedApp[]
  /** Why a folder with such files makes no program; '': it has none of them. */
  readonly reasonOf: (folder: string) => string
}

/** How a project starts, and where it listens: 0 if its files do not tell. */
export interface ProjectStart {
  readonly command: readonly string[]
  readonly port: number
  /** The keys, besides `appPort`, that have it listen on another port; undefined: its code decides. */
  readonly move?: ((port: number) => Readonly<Record<string, unknown>>) | undefined
  readonly notes?: readonly string[]
}

/** The program reads PORT, which `appPort` sets. */
export const movesByItself = (): Readonly<Record<string, unknown>> => ({})

/** The variable by which a program takes another port. */
export const byVariable =
  (name: string): ProjectStart['move'] =>
  port => ({env: {[name]: port.toString()}})

const LISTENS =
  'appPort: the port on which it listens is not known from its files; autoPort: true gives one to a program that reads PORT'

/** The app of a project. It is called at its port, if the run can have it listen elsewhere. */
export function projectApp(folder: string, {command, port: known, move, notes = []}: ProjectStart): ImportedApp {
  const port = known || portOfDockerfile(join(folder, 'Dockerfile'))
  const isMoved = hasMovedBind(command, folder)
  const key = isMoved || move === movesByItself ? 'port' : 'appPort'
  const variable = portVariable(command.join(' '))
  const readsPort = port === 0 && (move === movesByItself || variable === 'PORT')
  return {
    id: basename(folder),
    folder,
    keys: given({[key]: port > 0 ? port : undefined, autoPort: readsPort ? true : undefined, command}),
    notes: [
      ...notes,
      ...(port > 0 || readsPort
        ? []
        : [variable === '' ? LISTENS : `appPort: ${variable} says where it listens: write its number`])
    ],
    move: move ?? (isMoved ? () => ({fixedPort: port}) : undefined)
  }
}

/** A program whose text asks for the variable PORT. */
export const movedByVariable = (text: string): ProjectStart['move'] =>
  /(?:env|environ|Getenv|var)\w*(?:\.get)?[([]["']PORT["']/.test(text) ? movesByItself : undefined

/** How programs write their port, best first: behind the variable, in a call, in a constant. */
const PORTS = [
  /(?<!(?:DB|DATABASE|SQL|PG|POSTGRES|POSTGRESQL|MYSQL|MONGO|MONGODB|REDIS|CACHE|RABBIT|RABBITMQ|AMQP|QUEUE|KAFKA|NATS|MQTT|SMTP|MAIL|EMAIL|ELASTIC|METRICS|DAPR_HTTP|DAPR_GRPC)_)PORT\b[^\n;,]{0,40}?(?:\|\||\?\?|,)\s*["'`]?(\d{4,5})\b/,
  /\{[^}]*\bPORT\s*=\s*["'`]?(\d{4,5})\b[^}]*\}\s*=\s*process\.env/,
  /(?:listen\(\s*|\.run\([^)]*port\s*=\s*)(\d{4,5})\b/i,
  /(?:^|[\s{,(])port["']?\s*(?::\s*number\s*)?[:=]\s*["'`]?(\d{4,5})\b/im
]

/** The port that a program's text names; 0: none. */
export const portIn = (text: string): number =>
  Number(PORTS.map(each => each.exec(text)?.[1]).find(port => port !== undefined) ?? 0)

const PROJECT_FILES = 'package.json requirements.txt pyproject.toml Pipfile setup.py Gemfile'.split(' ')

/** The program that the Dockerfile of a project starts, if it runs outside of its image. */
export const image: ProjectReader = {
  appsIn(folder) {
    const {commands} = commandsOfDockerfile(has(folder, 'Dockerfile') ? join(folder, 'Dockerfile') : '')
    const command = commands.find(each => each.length > 0 && runsInFolder(each, folder))
    const texts = (command ?? []).map(word => (/\.(?:[cm]?[jt]s|py|rb)$/.test(word) ? readText(folder, word) : ''))
    if (command === undefined || (texts.join('') === '' && !has(folder, ...PROJECT_FILES))) return []
    const {PORT = '', ...env} = variablesOfDockerfile(join(folder, 'Dockerfile'))
    const port = Number(env['FLASK_RUN_PORT'] ?? PORT) || commandPort(command.join(' ')) || portIn(texts.join('\n'))
    const app = projectApp(folder, {command, port})
    return [Object.keys(env).length === 0 ? app : {...app, keys: {...app.keys, env}}]
  },
  reasonOf: () => ''
}
