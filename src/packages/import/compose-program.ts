import {statSync} from 'node:fs'
import {join} from 'node:path'
import {
  buildOf,
  composeEnvironment,
  healthCommand,
  leftOver,
  portsOf,
  sharedKeys,
  commandWords,
  type Service,
  type Stack
} from './compose-service.ts'
import {commandOfDockerfile, portOfDockerfile, runsInFolder} from './dockerfile.ts'
import {appsIn} from './folder.ts'
import {pathFrom, pathTo, type ImportedApp} from './imported.ts'
import {commandPort} from './shell-words.ts'
import {given, isMap, mapOf, textValue, textsOf} from './yaml-file.ts'

const KNOWN = new Set(
  'build image command entrypoint environment env_file ports expose depends_on restart stop_signal stop_grace_period profiles healthcheck container_name networks labels logging tty stdin_open init extends platform develop pull_policy hostname'.split(
    ' '
  )
)

/** The program of a service, and what its image says of it. */
interface Program {
  readonly folder: string
  readonly dockerfile: string
  readonly command: readonly unknown[]
  /** The service names the command itself. */
  readonly isOwn: boolean
  /** The ENTRYPOINT of the image that is not run; empty: none. */
  readonly skipped: readonly string[]
}

/** The program of a service that is built from a folder here; undefined if it has none that runs outside its image. */
export function programApp(service: Service, stack: Stack): (() => ImportedApp) | undefined {
  const program = programOf(service, stack)
  return program && (() => appOf(program, service, stack))
}

function programOf(service: Service, stack: Stack): Program | undefined {
  const build = buildOf(service, stack)
  if (build === undefined || statSync(build.folder, {throwIfNoEntry: false})?.isDirectory() !== true) return undefined
  const {folder} = build
  const dockerfile = join(folder, build.dockerfile)
  const own = [...commandWords(service.values['entrypoint']), ...commandWords(service.values['command'])]
  const isOwn = own.length > 0
  const found = appsIn(folder)[0]
  const {entrypoint, cmd} = commandOfDockerfile(dockerfile)
  const candidates = isOwn ? [own] : [[...entrypoint, ...cmd], cmd]
  const written = candidates.find(each => each.length > 0 && runsInFolder(each, folder))
  const command = written ?? (isOwn ? undefined : found?.keys['command'])
  if (!Array.isArray(command)) return undefined
  return {folder, dockerfile, command, isOwn, skipped: written === cmd ? entrypoint : []}
}

function appOf(program: Program, service: Service, stack: Stack): ImportedApp {
  const {folder, command, skipped} = program
  const {id, values} = service
  const notes = [...service.notes]
  if (skipped.length > 0) notes.push(`the ENTRYPOINT of its image, ${skipped.join(' ')}, is not run`)
  const target = listeningPort(program, service)
  notes.push(...portNotes(service))
  const env = composeEnvironment(service, stack, 'localhost', notes)
  const shared = sharedKeys(service, stack, notes)
  if (service.sidecar === undefined)
    notes.push(...hostNotes(Object.keys(mapOf(shared['dependsOn'])), values['environment']))
  const copies = Number(textValue(values['scale']) || textValue(mapOf(values['deploy'])['replicas']))
  const hasReplicas = copies > 1 && target === 0
  if (copies > 1 && !hasReplicas)
    notes.push(`replicas: ${copies} need autoPort: true in the place of appPort, and a program that reads PORT`)
  const health = healthCommand(service)
  const keys = given({
    appPort: target > 0 ? target : undefined,
    command,
    env: Object.keys(env).length > 0 ? env : undefined,
    envFile: envFilesOf(service, stack, folder),
    ...shared,
    ready: health === undefined || !isHere(health) ? undefined : {command: health},
    replicas: hasReplicas ? copies : undefined,
    watch: mapOf(values['develop'])['watch'] === undefined ? undefined : true,
    tty: textValue(values['tty']) === 'true' ? true : undefined
  })
  if (health !== undefined && !isHere(health) && target === 0)
    notes.push(`healthcheck: ${health.join(' ')} is not carried over`)
  if (values['volumes'] !== undefined) notes.push('volumes: the program runs in its folder, not in a container')
  notes.push(...leftOver(service, new Set([...KNOWN, 'volumes', 'deploy', 'scale'])))
  return {id, folder, keys, notes}
}

/** The port that the program listens on; 0: none is known. */
function listeningPort({command, isOwn, dockerfile}: Program, service: Service): number {
  const [port] = portsOf(service)
  return (
    Number(port?.target ?? textsOf(service.values['expose'])[0] ?? 0) ||
    commandPort(command.join(' ')) ||
    (isOwn ? 0 : portOfDockerfile(dockerfile))
  )
}

function portNotes(service: Service): readonly string[] {
  const [port, ...others] = portsOf(service)
  const notes: string[] = []
  if (port !== undefined && port.published !== '' && port.published !== port.target)
    notes.push(`ports: it was reached at ${port.published}; the program itself listens on ${port.target}`)
  if (others.length > 0)
    notes.push(
      `ports: ${others.map(({target}) => target).join(', ')}: whether the program listens there, too, is its own business`
    )
  return notes
}

/** Services that the environment does not name may be called by their host names. */
function hostNotes(dependencies: readonly string[], environment: unknown): readonly string[] {
  const named = dependencies.filter(id => !JSON.stringify(environment ?? '').includes(id))
  if (named.length === 0) return []
  return [`if its code calls ${named.join(' or ')} by name: write 127.0.0.1 ${named.join(' ')} into /etc/hosts`]
}

/** A check by what every machine has. */
const isHere = (command: readonly string[]): boolean =>
  /^(?:curl|wget|node|python3?|sh|bash|pg_isready|redis-cli)$/.test(command[0] ?? '')

/** Env files count from the compose file, here from the folder of the app. */
export function envFilesOf({values}: Service, {file}: Stack, folder: string): unknown {
  const {env_file: named} = values
  const list: readonly unknown[] = Array.isArray(named) ? named : named === undefined ? [] : [named]
  const files = list.map(each => {
    const path = pathTo(pathFrom(file, isMap(each) ? textValue(each['path']) : textValue(each)), folder)
    const isThere = statSync(join(folder, path), {throwIfNoEntry: false}) !== undefined
    return isThere && !(isMap(each) && each['required'] === 'false') ? path : {path, required: false}
  })
  return files.length === 0 ? undefined : files.length === 1 ? files[0] : files
}
