import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {
  buildOf,
  healthCommand,
  leftOver,
  limitsOf,
  portsOf,
  sharedKeys,
  startWords,
  traefikLabels,
  type Env,
  type Service,
  type Stack
} from './service.ts'
import {isToldIn, type ListeningProgram, type ProgramPort} from './ports.ts'
import {
  commandsOfDockerfile,
  portOfDockerfile,
  runsInFolder,
  startFolder,
  variablesOfDockerfile,
  withoutWorkdir
} from '../reading/dockerfile.ts'
import {buildNote} from '../folder/languages/node.ts'
import {projectOf} from './service-project.ts'
import {callsIn, composeEnvironment, pathOfEntry, variablesOfFiles, withPortsHere} from './environment.ts'
import {namesInCode} from './names.ts'
import {pathFrom, pathTo, withTexts, type ImportedApp} from '../imported.ts'
import {isOfFile, pathsHere, withValues} from './project.ts'
import {selfReloader} from '../../../files/config/implied-watch.ts'
import {isFolder} from '../reading/files.ts'
import {GUESSED} from '../reading/listening.ts'
import {commandPort} from '../reading/shell-words.ts'
import {missingFileNote, oddNotes} from '../reading/variables.ts'
import {
  given,
  isMap,
  listedValues,
  mapOf,
  textValue,
  textsOf,
  variablePairs,
  type Values
} from '../reading/yaml-file.ts'

/** The program of a service, and the facts of its image. */
export interface ComposeProgram extends ListeningProgram {
  /** The ENTRYPOINT of the image that is not run; empty: none. */
  readonly skipped: readonly string[]
}

/** The program of a service that is built from a folder here; undefined if it has none that runs outside its image. */
export function serviceProgram(composed: Service, stack: Stack): ComposeProgram | undefined {
  const ports = withTexts(composed.values['ports'], text => withValues(text, stack.file))
  const service: Service = {...composed, values: {...composed.values, ports}}
  const build = buildOf(service, stack)
  if (build === undefined || !isFolder(build.folder)) return undefined
  // another tool starts this program itself
  if (service.values['x-program'] === 'true') {
    const command = startWords(service)
    return {service, folder: build.folder, command, target: listeningPort(service, command, ''), skipped: []}
  }
  const dockerfile = join(build.folder, build.dockerfile)
  const stage = textValue(mapOf(service.values['build'])['target'])
  const {folder: start, workdir} = startFolder(dockerfile, build.folder, stage)
  const words = withoutWorkdir(startWords(service), workdir)
  const isOwn = words.length > 0
  const image = commandsOfDockerfile(dockerfile, {target: stage, own: words})
  const hasEntrypoint = (service.values['entrypoint'] ?? null) !== null
  const candidates = hasEntrypoint ? [words] : image.commands.map(each => withoutWorkdir(each, workdir))
  const written = candidates.find(each => each.length > 0 && runsInFolder(each, start))
  const called = Number(callsIn(stack).find(([id, port]) => id === service.id && port !== '')?.[1] ?? 0)
  const {env: ofImage, left} = variablesOfDockerfile(dockerfile, stage)
  const environment = {...ofImage, ...variablePairs(service.values['environment'])}
  const env = {...variablesOfFiles(service, stack), ...environment}
  const values = {...service.values, ...(Object.keys(ofImage).length > 0 && {environment})}
  const notes = [
    ...service.notes,
    ...(left.length === 0 ? [] : [`Dockerfile: ENV ${left.join(', ')}: not carried over`])
  ]
  const inImage = {...service, values, notes}
  if (written !== undefined && (isOwn || buildNote(written, start) === '')) {
    const target = listeningPort(service, written, isOwn ? '' : dockerfile) || called || Number(env['PORT'] ?? 0)
    const skipped = written === candidates[1] ? withoutWorkdir(image.entrypoint, workdir) : []
    return {service: inImage, folder: start, command: written, target, skipped}
  }
  const project = isOwn ? undefined : projectOf(service, build, start, stack, env)
  if (project === undefined) return undefined
  const {folder, move, keys} = project
  const command = textsOf(keys['command'])
  const own = Number(keys['port'] ?? keys['appPort'] ?? 0)
  const isGuess = project.notes.some(note => note.startsWith(GUESSED))
  const isTold = isToldIn(command) || (move !== undefined && Object.keys(move(own)).length === 0)
  const exact = listeningPort(service, [], '')
  const target = (isTold && isGuess && exact) || own || exact || listeningPort(service, command, dockerfile) || called
  const ofProject = project.notes.filter(note => !/^appPort:|^guessed:/.test(note))
  return {service: {...inImage, notes: [...notes, ...ofProject]}, folder, command, target, skipped: [], isTold}
}

/** Its app, at the port where it is called. */
export function appOf(
  {folder, command, skipped, service, target}: ComposeProgram,
  {keys: {env: moved, ...portKeys}, getsPort}: ProgramPort,
  stack: Stack
): ImportedApp {
  const {id, values} = service
  const notes = [...service.notes]
  if (skipped.length > 0) notes.push(`the ENTRYPOINT of its image, ${skipped.join(' ')}, is not run`)
  notes.push(...portNotes(service, portKeys, target))
  const {PORT, ...others} = composeEnvironment(service, stack, 'localhost', notes)
  const targets = listedValues(values['volumes']).map(mount => isOfFile(mount) && mapOf(mount)['target'])
  const ofFiles = Object.entries(variablesOfFiles(service, stack)).filter(([, value]) => targets.includes(value))
  const own = {...Object.fromEntries(ofFiles), ...(PORT === undefined || getsPort ? {} : {PORT})}
  const env = pathsHere({...own, ...others, ...mapOf(moved)}, values['volumes'], stack.file, folder, notes) as Env
  for (const [name, value] of Object.entries(env))
    if (/^\/[\w.-]+\/[\w./-]+$/.test(value) && !existsSync(value))
      notes.push(`env: ${name}: ${value} is a path in the container: write the one here`)
  const shared = sharedKeys(service, stack, notes)
  if (service.sidecar === undefined) {
    notes.push(...namesInCode(folder, service, stack))
  }
  notes.push(...[buildNote(command, folder)].filter(Boolean))
  const scale = textValue(values['scale']) || textValue(mapOf(values['deploy'])['replicas'])
  if (scale === '0') notes.push('replicas: 0: here it starts: with profiles: [NAME] only --profile NAME starts it')
  const policy = mapOf(values['deploy'])['restart_policy']
  if (policy !== undefined)
    notes.push(`deploy.restart_policy: ${JSON.stringify(policy)} is not carried over: write restart`)
  const copies = Number(scale)
  if (copies > 1 && target > 0)
    notes.push(
      `replicas: ${copies} need autoPort: true in the place of ${'port' in portKeys ? 'port' : 'appPort'}, and a program that reads PORT`
    )
  const health = healthCommand(service)
  const keys = given({
    ...portKeys,
    command: portKeys['command'] ?? command.map(word => withPortsHere(word, service, stack, 'localhost')),
    env: Object.keys(env).length > 0 ? env : undefined,
    envFile: envFilesOf(service, stack, folder),
    ...shared,
    ready: readyOf(health, service, target),
    replicas: copies > 1 && target === 0 ? copies : undefined,
    watch: mapOf(values['develop'])['watch'] === undefined || selfReloader(command, folder) !== '' ? undefined : true,
    limits: limitsKey(values),
    tty: textValue(values['tty']) === 'true' ? true : undefined
  })
  if (health !== undefined && readyOf(health, service, target) === undefined && target === 0)
    notes.push(`healthcheck: ${health.join(' ')} is not carried over`)
  if (traefikLabels(values).length > 0)
    notes.push('labels: traefik finds containers alone: name this program in a file of its settings')
  notes.push(...envFileNotes(service, stack))
  notes.push(...leftOver(service, ['deploy', 'scale', 'mem_limit', 'cpus', 'tty', 'stdin_open']))
  return {id, folder, keys, notes}
}

/** Compose's sizes count in steps of 1024, with or without a `b` at their end: `512m`, `2gb`. */
function limitsKey(values: Values): Values | undefined {
  const limits = limitsOf(values)
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)b?$/i.exec(limits.mem_limit) ?? []
  const suffix = unit === '' ? '' : `${unit.toUpperCase()}i`
  const cpus = Number(limits.cpus)
  const both = given({memory: amount === '' ? undefined : `${amount}${suffix}`, cpus: cpus > 0 ? cpus : undefined})
  return Object.keys(both).length === 0 ? undefined : both
}

/** The port that the program listens on; 0: none is known. `dockerfile`: '' where its port says nothing of the command. */
function listeningPort(service: Service, command: readonly string[], dockerfile: string): number {
  const [port] = portsOf(service)
  return (
    Number.parseInt(port?.target ?? textsOf(service.values['expose'])[0] ?? '') ||
    commandPort(command.join(' ')) ||
    portOfDockerfile(dockerfile)
  )
}

function portNotes(service: Service, keys: Values, own: number): readonly string[] {
  const [port] = portsOf(service)
  const others = portsOf(service).filter(({target}, at) => at > 0 || target.includes('-'))
  const notes: string[] = []
  const listens = own > 0 ? own.toString() : port?.target
  if (port !== undefined && !['', listens].includes(port.published) && !('port' in keys))
    notes.push(`ports: it was reached at ${port.published}; the program itself listens on ${listens ?? port.target}`)
  if (others.length > 0)
    notes.push(
      `ports: ${others.map(({target}) => target).join(', ')}: whether the program listens there, too, is its own business`
    )
  return notes
}

/** A check of its own address is one at its port; any other one is run where every machine has its program. */
function readyOf(health: readonly string[] | undefined, {id}: Service, target: number): Values | undefined {
  if (health === undefined) return undefined
  const [, host = '', path = '/'] =
    /http:\/\/([\w.-]+|\[::1\])(?::[\w${}:-]+)?(\/[^\s"'|;&)]*)?/.exec(health.join(' ')) ?? []
  if (target > 0 && ['localhost', '127.0.0.1', '0.0.0.0', '[::1]', id].includes(host)) return {http: path}
  const isHere = /^(?:curl|wget|node|python3?|sh|bash|pg_isready|redis-cli)$/.test(health[0] ?? '')
  return isHere ? {command: health} : undefined
}

/** Notes on env files that compose needs and a person makes of a sample, and on those in which it replaces variables. */
export const envFileNotes = ({values}: Service, {file}: Stack): readonly string[] =>
  listedValues(values['env_file']).flatMap(each => {
    const path = pathOfEntry(each)
    const at = pathFrom(file, path)
    if (existsSync(at)) return mapOf(each)['format'] === 'raw' ? [] : oddNotes('env_file', at, path)
    return mapOf(each)['required'] === 'false' || path.includes('${') ? [] : [missingFileNote(path, at)]
  })

/** Env files count from the compose file, here from the folder of the app. */
export function envFilesOf({values}: Service, {file}: Stack, folder: string): unknown {
  const files = listedValues(values['env_file']).map(each => {
    const at = pathFrom(file, pathOfEntry(each))
    const path = pathTo(at, folder)
    return existsSync(at) && !(isMap(each) && each['required'] === 'false') ? path : {path, required: false}
  })
  return files.length === 0 ? undefined : files.length === 1 ? files[0] : files
}
