import {existsSync} from 'node:fs'
import {selfReloader} from '../../../files/config/implied-watch.ts'
import type {ImportedApp} from '../imported.ts'
import {isFixed} from '../reading/listening.ts'
import {given, mapOf, textValue, type Values} from '../reading/yaml-file.ts'
import {variablesHere, pointed} from './addresses.ts'
import {notesOnCode} from './names.ts'
import {calledAt, type ListeningProgram} from './ports.ts'
import {envFileNotes, envFilesOf, mountNotes} from './project.ts'
import {
  healthCommand,
  leftOver,
  portsOf,
  sharedKeys,
  traefikLabels,
  type Env,
  type Service,
  type Stack
} from './service.ts'

export function appOf(program: ListeningProgram, stack: Stack): ImportedApp {
  const {
    folder,
    service,
    command: words,
    listens: {port: target}
  } = program
  const {id, values} = service
  const {env, notes: ofEnv} = variablesHere(service, stack, true)
  const listens = calledAt(program)
  const routes = mapOf(values['x-routes'])
  const hasRoutes =
    Object.keys(routes).length > 0 && listens !== undefined && !isFixed({keys: {command: words}, folder, listens})
  const health = healthCommand(service)
  const ready = readyOf(health, service, target)
  const notes = [
    ...service.notes,
    ...portNotes(service),
    ...ofEnv,
    ...pathNotes(env),
    ...notesOnCode(folder, service, stack),
    ...(hasRoutes
      ? []
      : Object.entries(routes).map(([path, to]) => `routes: ${path} is of ${String(to)}: it needs port`)),
    ...(health !== undefined && ready === undefined ? [`healthcheck: ${health.join(' ')} is not carried over`] : []),
    ...(traefikLabels(values).length > 0
      ? ['labels: traefik finds containers alone: name this program in a file of its settings']
      : []),
    ...mountNotes(values, stack.file, folder),
    ...envFileNotes(service, stack),
    ...leftOver(service, ['tty', 'stdin_open', 'working_dir'])
  ]
  const left: string[] = []
  const keys = given({
    command: words.map(word => pointed(word, {service, stack, isHere: true})),
    env,
    envFile: envFilesOf(service, stack, folder),
    ...sharedKeys(service, stack, left),
    ready,
    watch: mapOf(values['develop'])['watch'] === undefined || selfReloader(words, folder) !== '' ? undefined : true,
    tty: textValue(values['tty']) === 'true' ? true : undefined,
    routes: hasRoutes ? routes : undefined
  })
  return {id, folder, keys, ...(listens && {listens}), notes: [...notes, ...left]}
}

const portNotes = (service: Service): readonly string[] => {
  const [, ...others] = portsOf(service)
  return others.length > 0 ? [`ports: ${others.map(({target}) => target).join(', ')}: not carried over`] : []
}

const pathNotes = (env: Env): readonly string[] =>
  Object.entries(env).flatMap(([name, value]) =>
    /^\/[\w.-]+\/[\w./-]+$/.test(value) && !existsSync(value)
      ? [`env: ${name}: ${value} is a path in the container: write the one here`]
      : []
  )

/** A check of its own address is one at its port; any other one is run where every machine has its program. */
function readyOf(health: readonly string[] | undefined, {id}: Service, target: number): Values | undefined {
  if (health === undefined) return undefined
  const [, host = '', path = '/'] =
    /http:\/\/([\w.-]+|\[::1\])(?::[\w${}:-]+)?(\/[^\s"'|;&)]*)?/.exec(health.join(' ')) ?? []
  if (target > 0 && ['localhost', '127.0.0.1', '0.0.0.0', '[::1]', id].includes(host)) return {http: path}
  const isHere = /^(?:curl|wget|node|python3?|sh|bash|pg_isready|redis-cli)$/.test(health[0] ?? '')
  return isHere ? {command: health} : undefined
}
