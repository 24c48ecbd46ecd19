import {basename, dirname, relative} from 'node:path'
import {readProject} from './files.ts'
import {containerApp} from './container.ts'
import {ownPort, programPorts, publishedNumber, withPublished} from './ports.ts'
import {appOf} from './program.ts'
import {serviceProgram, type ComposeProgram} from './service-program.ts'
import {projectName, variablesFiles, volumeNames, volumeNotes, withActive, withFiles, withWords} from './project.ts'
import {callsIn} from './environment.ts'
import {namesIn} from './names.ts'
import {withoutDapr, withSidecars} from './dapr.ts'
import {buildOf, hostsOfService, withGrace, type Service, type Stack} from './service.ts'
import {unreadable, withBraces, withTexts, type Imported, type ImportedFile} from '../imported.ts'
import {envFileVariables, oddNotes} from '../reading/variables.ts'
import {mapOf, textValue, written, type Values} from '../reading/yaml-file.ts'

/** A compose file with its overrides. Throws a `UserError` for a broken file, or one without services. */
export function importCompose(file: ImportedFile, overrides: readonly ImportedFile[], cwd: string): Imported {
  const read = readProject(file, overrides, cwd)
  const from = [file, ...overrides].map(({path}) => basename(path)).join(' and ')
  return importServices({...read, file, values: withActive(read.values, file), from})
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
  /** The name of the source, for people. */
  readonly from: string
}

/** A service built of a folder with a program becomes that program, each other one a container. Throws a `UserError` for none. */
export function importServices({file, values, notes: notesOf, envs = [], from}: ServicesFile): Imported {
  const {services, ...top} = values
  const all = Object.entries(mapOf(services))
  if (all.length === 0) throw unreadable(file, 'it has no services', 0)
  const notes = Object.entries(top).flatMap(([key, value]) => topNote(key, value))
  const project = projectName(file, textValue(top['name']))
  const known = all.map(([id, value]): [string, Service] => {
    const own = [...(notesOf.get(id) ?? [])]
    const read = withFiles(mapOf(withTexts(value, withBraces)), mapOf(withTexts(top, withBraces)), file, own)
    return [id, {id, values: withWords(read, file, own), notes: own}]
  })
  const withoutSidecars = withoutDapr(new Map(known), file)
  // a template has one such file: the first with the variables of its services
  const [files, text] = [[...variablesFiles(file), ...envs], JSON.stringify(known)]
  const named = (path: string): readonly string[] =>
    Object.keys(envFileVariables(path)).filter(each => text.includes(`\${${each}`))
  const variables = files.find(path => named(path).length > 0) ?? files[0]
  const read = Object.keys({...envFileVariables(variables ?? ''), ...process.env})
  for (const path of new Set(files)) {
    const unread = named(path).filter(each => !read.includes(each))
    const shown = relative(dirname(file.path), path)
    if (unread.length > 0)
      notes.push(`interpolate: ${shown}: ${unread.join(', ')}: a template reads one such file: write them into it`)
  }
  const inNetwork: Stack = {
    file: variables === undefined ? file : {...file, start: dirname(variables)},
    project,
    volumes: volumeNames(project, top['volumes']),
    ...withoutSidecars,
    hosts: byHost(withoutSidecars.services),
    programs: new Map(),
    reached: new Set(),
    called: new Set(),
    targets: new Map()
  }
  const programs = new Map<string, ComposeProgram>()
  for (const [id, service] of inNetwork.services) {
    const program = serviceProgram(service, inNetwork)
    if (program === undefined) continue
    programs.set(id, program)
    inNetwork.targets.set(id, ownPort(program))
  }
  const callers = new Map([...inNetwork.services].filter(([id]) => programs.has(id)))
  for (const [id] of callsIn(inNetwork, callers)) inNetwork.reached.add(id)
  const published = withPublished(inNetwork, programs)
  const stack: Stack = {...inNetwork, services: published, hosts: byHost(published)}
  const ports = programPorts(programs, stack)
  for (const [id, program] of programs) {
    const called = ownPort({start: ports.get(id) ?? program.start})
    stack.programs.set(id, called > 0 ? called : publishedNumber(program))
  }
  const made = [...stack.services].map(([id, service]) => {
    const [program, port] = [programs.get(id), ports.get(id)]
    const app = program && port ? appOf(program, port, stack) : containerApp(service, stack)
    const built = buildOf(service, stack)?.folder
    return {...app, ...(built !== undefined && {builtFrom: built})}
  })
  const apps = withSidecars(made, stack.services)
  notes.push(...daprNotes(stack), ...reachNote(stack))
  const interpolate = JSON.stringify(apps).includes('${') && (variables ?? true)
  notes.push(...oddNotes('interpolate', variables ?? '', '.env', JSON.stringify(apps)))
  return withGrace({
    from,
    ...(textValue(top['name']) !== '' && {name: textValue(top['name'])}),
    ...(interpolate !== false && {interpolate}),
    apps,
    notes
  })
}

/** Services by each name that is a host in their network. */
function byHost(services: Stack['services']): Stack['hosts'] {
  const named = [...services.values()].flatMap(each => hostsOfService(each).map(name => [name, each] as const))
  return new Map([...named, ...services])
}

/** Notes about Dapr's own services, and about hosts in the files of its sidecars that are elsewhere here. */
function daprNotes(stack: Stack): readonly string[] {
  const parts = [...stack.leftOut].filter(([, owner]) => owner === '').map(([id]) => id)
  const files = [...stack.services.values()].flatMap(({sidecar}) =>
    [sidecar?.resources ?? [], sidecar?.config ?? []].flat()
  )
  const marks = namesIn([...new Set(files)], stack).map(
    ({id, place, port, portHere}) => `${place}: ${id}:${port} is localhost:${portHere} here: write that`
  )
  return [
    ...(parts.length === 0 ? [] : [`${parts.join(', ')}: left out: the run does for Dapr what they do`]),
    ...new Set(marks)
  ]
}

/** A container reaches a program at an address of the machine, which on Linux is not that of localhost. */
const reachNote = ({called}: Stack): readonly string[] =>
  called.size === 0
    ? []
    : [`${[...called].join(', ')}: containers call it: on Linux they reach only port: 0.0.0.0:NUMBER`]

function topNote(key: string, value: unknown): readonly string[] {
  if (key === 'volumes') return volumeNotes(value)
  if (['version', 'name', 'networks', 'secrets', 'configs'].includes(key) || key.startsWith('x-')) return []
  return [`${key}: ${written(value)} is not carried over`]
}
