import {existsSync} from 'node:fs'
import {selfReloader} from '../../../files/config/implied-watch.ts'
import {buildNote} from '../folder/languages/node.ts'
import {pathFrom, pathTo, type ImportedApp} from '../imported.ts'
import type {PortKeys} from '../reading/listening.ts'
import {missingFileNote, oddNotes} from '../reading/variables.ts'
import {given, isMap, listedValues, mapOf, textValue, textsOf, type Values} from '../reading/yaml-file.ts'
import {composeEnvironment, pathOfEntry, variablesOfFiles, withPortsHere} from './environment.ts'
import {namesInCode} from './names.ts'
import {ownPort} from './ports.ts'
import {isOfFile, pathsHere} from './project.ts'
import {
  healthCommand,
  leftOver,
  limitsOf,
  portsOf,
  sharedKeys,
  traefikLabels,
  type Env,
  type Service,
  type Stack
} from './service.ts'
import type {ComposeProgram} from './service-program.ts'

/** Its app, at the port where it is called. */
export function appOf(
  {folder, skipped, service, start: own}: ComposeProgram,
  start: PortKeys,
  stack: Stack
): ImportedApp {
  const {id, values} = service
  const {command, ...portKeys} = start.keys
  const target = ownPort({start: own})
  const notes = [...service.notes, ...start.notes]
  if (skipped.length > 0) notes.push(`the ENTRYPOINT of its image, ${skipped.join(' ')}, is not run`)
  notes.push(...portNotes(service, portKeys, target))
  const {PORT, ...others} = composeEnvironment(service, stack, 'localhost', notes)
  const targets = listedValues(values['volumes']).map(mount => isOfFile(mount) && mapOf(mount)['target'])
  const ofFiles = Object.entries(variablesOfFiles(service, stack)).filter(([, value]) => targets.includes(value))
  const ownEnv = {...Object.fromEntries(ofFiles), ...(PORT === undefined || getsPort(portKeys) ? {} : {PORT})}
  const env = pathsHere({...ownEnv, ...others}, values['volumes'], stack.file, folder, notes) as Env
  for (const [name, value] of Object.entries(env))
    if (/^\/[\w.-]+\/[\w./-]+$/.test(value) && !existsSync(value))
      notes.push(`env: ${name}: ${value} is a path in the container: write the one here`)
  const shared = sharedKeys(service, stack, notes)
  if (service.sidecar === undefined) {
    notes.push(...namesInCode(folder, service, stack))
  }
  const paths = mapOf(values['x-routes'])
  const routes = Object.keys(paths).length > 0 && 'port' in portKeys ? paths : undefined
  if (routes === undefined)
    for (const [path, other] of Object.entries(paths))
      notes.push(`routes: ${path} is of ${String(other)}: it needs port`)
  const words = textsOf(command)
  notes.push(...[buildNote(words, folder)].filter(Boolean))
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
    command: words.map(word => withPortsHere(word, service, stack, 'localhost')),
    env: Object.keys(env).length > 0 ? env : undefined,
    envFile: envFilesOf(service, stack, folder),
    ...shared,
    ready: readyOf(health, service, target),
    replicas: copies > 1 && target === 0 ? copies : undefined,
    watch: mapOf(values['develop'])['watch'] === undefined || selfReloader(words, folder) !== '' ? undefined : true,
    limits: limitsKey(values),
    tty: textValue(values['tty']) === 'true' ? true : undefined,
    routes
  })
  if (health !== undefined && readyOf(health, service, target) === undefined && target === 0)
    notes.push(`healthcheck: ${health.join(' ')} is not carried over`)
  if (traefikLabels(values).length > 0)
    notes.push('labels: traefik finds containers alone: name this program in a file of its settings')
  notes.push(...envFileNotes(service, stack))
  notes.push(...leftOver(service, ['deploy', 'scale', 'mem_limit', 'cpus', 'tty', 'stdin_open']))
  return {id, folder, keys, notes}
}

/** Whether the run gives it its number in PORT. */
const getsPort = ({port, autoPort, fixedPort, appPort}: Values): boolean =>
  (port !== undefined || autoPort !== undefined) && fixedPort === undefined && appPort === undefined

/** Compose's sizes count in steps of 1024, with or without a `b` at their end: `512m`, `2gb`. */
function limitsKey(values: Values): Values | undefined {
  const limits = limitsOf(values)
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)b?$/i.exec(limits.mem_limit) ?? []
  const suffix = unit === '' ? '' : `${unit.toUpperCase()}i`
  const cpus = Number(limits.cpus)
  const both = given({memory: amount === '' ? undefined : `${amount}${suffix}`, cpus: cpus > 0 ? cpus : undefined})
  return Object.keys(both).length === 0 ? undefined : both
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
