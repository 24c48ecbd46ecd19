import {statSync} from 'node:fs'
import {join} from 'node:path'
import {
  buildOf,
  environmentOf,
  healthCommand,
  leftOver,
  portsOf,
  sharedKeys,
  type Service,
  type Stack
} from './compose-service.ts'
import {commandOfDockerfile, portOfDockerfile, runsHere} from './dockerfile.ts'
import {appsIn} from './folder.ts'
import {pathFrom, pathTo, type ImportedApp} from './imported.ts'
import {commandOf, portOf} from './shell-words.ts'
import {given, isMap, mapOf, textOf, textsOf} from './yaml-file.ts'

const KNOWN = new Set(
  'build image command entrypoint environment env_file ports expose depends_on restart stop_signal stop_grace_period profiles healthcheck container_name networks labels logging tty stdin_open init extends platform develop pull_policy hostname'.split(
    ' '
  )
)

/** The program of a service that is built from a folder here; undefined if it has none that runs outside of its image. */
export function programApp(service: Service, stack: Stack): (() => ImportedApp) | undefined {
  const build = buildOf(service, stack)
  if (build === undefined || statSync(build.folder, {throwIfNoEntry: false})?.isDirectory() !== true) return undefined
  const {folder} = build
  const dockerfile = join(folder, build.dockerfile)
  const own = [...wordsOf(service.values['entrypoint']), ...wordsOf(service.values['command'])]
  const found = appsIn(folder)[0]
  const {entrypoint, cmd} = commandOfDockerfile(dockerfile)
  const candidates = own.length > 0 ? [own] : [[...entrypoint, ...cmd], cmd]
  const written = candidates.find(each => each.length > 0 && runsHere(each, folder))
  const command = written ?? (own.length > 0 ? undefined : found?.keys['command'])
  if (!Array.isArray(command)) return undefined
  return () => {
    const notes = [...service.notes]
    if (written === cmd && entrypoint.length > 0)
      notes.push(`the ENTRYPOINT of its image, ${entrypoint.join(' ')}, is not run`)
    const [port] = portsOf(service)
    const target =
      Number(port?.target ?? textsOf(service.values['expose'])[0] ?? 0) ||
      portOf(command.join(' ')) ||
      (own.length > 0 ? 0 : portOfDockerfile(dockerfile))
    if (port !== undefined && port.published !== '' && port.published !== port.target)
      notes.push(`ports: it was reached at ${port.published}; the program itself listens on ${port.target}`)
    if (portsOf(service).length > 1)
      notes.push(
        `ports: ${portsOf(service)
          .slice(1)
          .map(each => each.target)
          .join(', ')}: whether the program listens there, too, is its own business`
      )
    const env = environmentOf(service, stack, 'localhost', notes)
    const shared = sharedKeys(service, stack, notes)
    const copies = Number(textOf(service.values['scale']) || textOf(mapOf(service.values['deploy'])['replicas']))
    const named = Object.keys(mapOf(shared['dependsOn'])).filter(
      id => !JSON.stringify(service.values['environment'] ?? '').includes(id)
    )
    if (named.length > 0)
      notes.push(`if its code calls ${named.join(' or ')} by name: write 127.0.0.1 ${named.join(' ')} into /etc/hosts`)
    const hasReplicas = copies > 1 && target === 0
    if (copies > 1 && !hasReplicas)
      notes.push(
        `replicas: ${copies.toString()} need autoPort: true in the place of appPort, and a program that reads PORT`
      )
    const health = healthCommand(service)
    const keys = given({
      appPort: target > 0 ? target : undefined,
      command,
      env: Object.keys(env).length > 0 ? env : undefined,
      envFile: envFilesOf(service, stack, folder),
      ...shared,
      ready: health === undefined || !isHere(health) ? undefined : {command: health},
      replicas: hasReplicas ? copies : undefined,
      watch: mapOf(service.values['develop'])['watch'] === undefined ? undefined : true
    })
    if (health !== undefined && !isHere(health) && target === 0)
      notes.push(`healthcheck: ${health.join(' ')} is not carried over`)
    const mounts =
      service.values['volumes'] === undefined ? [] : ['volumes: the program runs in its folder, not in a container']
    return {
      id: service.id,
      folder,
      keys,
      notes: [...notes, ...mounts, ...leftOver(service, new Set([...KNOWN, 'volumes', 'deploy', 'scale']))]
    }
  }
}

const wordsOf = (value: unknown): readonly string[] => (typeof value === 'string' ? commandOf(value) : textsOf(value))

/** A check by what every machine has. */
const isHere = (command: readonly string[]): boolean =>
  /^(?:curl|wget|node|python3?|sh|bash|pg_isready|redis-cli)$/.test(command[0] ?? '')

/** Env files count from the compose file, here from the folder of the app. */
export function envFilesOf({values}: Service, {file}: Stack, folder: string): unknown {
  const {env_file: named} = values
  const list: readonly unknown[] = Array.isArray(named) ? named : named === undefined ? [] : [named]
  const files = list.map(each => {
    const path = pathTo(pathFrom(file, isMap(each) ? textOf(each['path']) : textOf(each)), folder)
    const isThere = statSync(join(folder, path), {throwIfNoEntry: false}) !== undefined
    return isThere && !(isMap(each) && each['required'] === 'false') ? path : {path, required: false}
  })
  return files.length === 0 ? undefined : files.length === 1 ? files[0] : files
}
