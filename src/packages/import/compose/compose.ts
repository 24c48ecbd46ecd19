import {basename, dirname, join, relative} from 'node:path'
import {readProject} from './files.ts'
import {containerApp} from './container.ts'
import {numberHere, withPublished, type ListeningProgram} from './ports.ts'
import {appOf} from './program.ts'
import {serviceProgram} from './service-program.ts'
import {profilesNote, projectName, variablesFiles, volumeNames, volumeNotes, withEnvFile, withFiles} from './project.ts'
import {withoutDapr, withSidecars} from './dapr.ts'
import {addressesNamed} from './addresses.ts'
import {buildOf, hostsOfService, isDatabaseImage, withGrace, type Service, type Stack} from './service.ts'
import {unreadable, withBraces, withTexts, type Imported, type ImportedApp, type ImportedFile} from '../imported.ts'
import {numberOf} from '../ports.ts'
import {isFolder} from '../reading/files.ts'
import {envFileVariables, oddNotes} from '../reading/variables.ts'
import {mapOf, notCarried, textValue, type Values} from '../reading/yaml-file.ts'

/** A compose file with its overrides. Throws a `UserError` for a broken file, or one without services. */
export function importCompose(file: ImportedFile, overrides: readonly ImportedFile[], cwd: string): Imported {
  const read = readProject(file, overrides, cwd)
  const from = [file, ...overrides].map(({path}) => basename(path)).join(' and ')
  return importServices({...read, file, from})
}

/** Services in the terms of a compose file. */
export interface ServicesFile {
  /** Paths count from its folder. */
  readonly file: ImportedFile
  readonly values: Values
  /** By service. */
  readonly notes: ReadonlyMap<string, readonly string[]>
  /** Further env files that its values may need. */
  readonly envs?: readonly string[]
  /** Whether its services have no order, as pods do. */
  readonly hasNoOrder?: boolean
  /** The name of the source, for people. */
  readonly from: string
}

/** A service built of a folder with a program becomes that program, each other one a container. Throws a `UserError` for none. */
export function importServices({
  file,
  values,
  notes: notesOf,
  envs = [],
  hasNoOrder = false,
  from
}: ServicesFile): Imported {
  const {services, ...top} = values
  const all = Object.entries(mapOf(services))
  if (all.length === 0) throw unreadable(file, 'it has no services', 0)
  const known = all.map(([id, value]): [string, Service] => {
    const notes = [...(notesOf.get(id) ?? [])]
    const read = withFiles(mapOf(withTexts(value, inFolder)), mapOf(withTexts(top, inFolder)), file, notes)
    return [id, {id, values: withEnvFile(read, file), notes}]
  })
  const [variables, unread] = variablesOf([...variablesFiles(file), ...envs], JSON.stringify(known), dirname(file.path))
  const project = projectName(file, textValue(top['name']))
  const withoutSidecars = withoutDapr(new Map(known), file)
  const inNetwork: Stack = {
    file: variables === undefined ? file : {...file, start: dirname(variables)},
    project,
    volumes: volumeNames(project, top['volumes']),
    ...withoutSidecars,
    hosts: byHost(withoutSidecars.services),
    programs: new Map(),
    targets: new Map()
  }
  const {apps, stack} = appsOf(hasNoOrder ? withServers(inNetwork) : inNetwork)
  const path = join(dirname(file.path), '.env')
  // compose reads it, also where it is written later
  const unwritten = file.start === undefined || isFolder(path) || path
  const interpolate = JSON.stringify(apps).includes('${') && (variables ?? unwritten)
  return withGrace({
    from,
    ...(textValue(top['name']) !== '' && {name: textValue(top['name'])}),
    ...(interpolate !== false && {interpolate}),
    apps,
    notes: [
      ...volumeNotes(top['volumes']),
      ...notCarried(top, /^(?:version|name|networks|secrets|configs|volumes|x-.*)$/),
      ...profilesNote(file),
      ...unread,
      ...daprNotes(stack),
      ...reachNote(stack),
      ...oddNotes('interpolate', variables ?? '', '.env', JSON.stringify(apps))
    ]
  })
}

/** A text with braces, and `$PWD`, the folder in which compose is started, as a relative path. */
const inFolder = (text: string): string => withBraces(text).replace(/^\$\{PWD\}(?=[/:])/, '.')

/** The file with variables of services, of which a template has one, and notes on others. */
function variablesOf(
  files: readonly string[],
  text: string,
  folder: string
): readonly [string | undefined, readonly string[]] {
  const namesIn = (path: string): readonly string[] =>
    Object.keys(envFileVariables(path)).filter(each => text.includes(`\${${each}`))
  const first = files.find(path => namesIn(path).length > 0) ?? files[0]
  const known = Object.keys({...envFileVariables(first ?? ''), ...process.env})
  const notes = [...new Set(files)].flatMap(path => {
    const unread = namesIn(path)
      .filter(each => !known.includes(each))
      .join(', ')
    const shown = relative(folder, path)
    return unread === '' ? [] : [`interpolate: ${shown}: ${unread}: a template reads one such file: write them into it`]
  })
  return [first, notes]
}

/** Lets each service wait for the databases and brokers that its variables name. */
function withServers(stack: Stack): Stack {
  const servers = new Set([...stack.services.values()].filter(isDatabaseImage).map(({id}) => id))
  const waiting = Array.from(stack.services, ([id, service]) => {
    const named = servers.has(id) ? [] : addressesNamed(service, stack).filter(([name]) => servers.has(name))
    const needed = Object.fromEntries(named.map(([name]) => [name, {condition: 'service_healthy'}]))
    return [id, {...service, values: {...service.values, depends_on: needed}}] as const
  })
  return {...stack, services: new Map(waiting)}
}

/** Programs first, so that containers and programs know the numbers of each other. */
function appsOf(inNetwork: Stack): {readonly apps: readonly ImportedApp[]; readonly stack: Stack} {
  const programs = new Map<string, ListeningProgram>()
  for (const [id, service] of inNetwork.services) {
    const program = serviceProgram(service, inNetwork)
    if (program === undefined) continue
    programs.set(id, program)
    inNetwork.targets.set(id, program.listens.port)
  }
  const published = withPublished(inNetwork, programs)
  const stack: Stack = {...inNetwork, services: published, hosts: byHost(published)}
  for (const [id, program] of programs) stack.programs.set(id, numberHere(program))
  const apps = [...stack.services].map(([id, service]) => {
    const program = programs.get(id)
    const app = program ? appOf(program, stack) : containerApp(service, stack)
    const builtFrom = buildOf(service, stack)?.folder
    return {...app, service: id, ...(builtFrom !== undefined && {builtFrom})}
  })
  return {apps: withSidecars(apps, stack.services), stack}
}

/** Services by each name that is a host in their network. */
function byHost(services: Stack['services']): Stack['hosts'] {
  const named = [...services.values()].flatMap(each => hostsOfService(each).map(name => [name, each] as const))
  return new Map([...named, ...services])
}

function daprNotes({leftOut}: Stack): readonly string[] {
  const parts = [...leftOut].filter(([, owner]) => owner === '').map(([id]) => id)
  return parts.length === 0 ? [] : [`${parts.join(', ')}: left out: the run does for Dapr what they do`]
}

/** A container reaches a program at an address of the machine, which on Linux is not that of localhost. */
function reachNote({services, programs, targets}: Stack): readonly string[] {
  const callers = [...services.values()]
    .filter(each => !programs.has(each.id) && !('network_mode' in each.values) && !isDatabaseImage(each))
    .map(({id}) => id)
  const moved = [...programs].filter(([id, port]) => ![0, port].includes(targets.get(id) ?? 0))
  if (callers.length === 0 || programs.size === 0) return []
  const ports = moved.map(([id, port]) => `${id}:${targets.get(id) ?? ''} is ${id}:${numberOf(id, port)}`).join(', ')
  const reach = `${callers.join(', ')}: on Linux these containers reach programs only at port: 0.0.0.0:NUMBER`
  return [ports === '' ? reach : `${reach}; ${ports}`]
}
