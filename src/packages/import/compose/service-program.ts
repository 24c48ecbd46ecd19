// The program of a service whose image is built here: by its own command, that of its image, or the project in its folder.
import {basename, dirname, join} from 'node:path'
import {isInside} from '../../../model/glob.ts'
import {commandStart} from '../folder/command-start.ts'
import {appsIn} from '../folder/folder.ts'
import {buildNote, startsParts} from '../folder/languages/node.ts'
import {withTexts, type ImportedApp} from '../imported.ts'
import {
  commandsOfDockerfile,
  portOfDockerfile,
  runsInFolder,
  startFolder,
  variablesOfDockerfile,
  withoutWorkdir
} from '../reading/dockerfile.ts'
import {imageName} from '../kubernetes/workloads.ts'
import {foldersIn, isFolder} from '../reading/files.ts'
import {portNumber} from '../reading/variables.ts'
import {listedValues, mapOf, textsOf, textValue, variablePairs} from '../reading/yaml-file.ts'
import {addressesNamed, variablesOfFiles} from './addresses.ts'
import {mountedFrom} from './dapr.ts'
import {withValues} from './project.ts'
import type {ListeningProgram} from './ports.ts'
import {buildOf, portsOf, startWords, type Build, type Env, type Service, type Stack} from './service.ts'

/** The program of a service that is built from a folder here; undefined if it has none that runs outside its image. */
export function serviceProgram(composed: Service, stack: Stack): ListeningProgram | undefined {
  const service = withOwnPorts(composed, stack)
  const build = buildOf(service, stack)
  if (build === undefined || !isFolder(build.folder)) return undefined
  const exact = exactPort(service)
  // another tool starts this program itself
  if (service.values['x-program'] === 'true') {
    const env = variablePairs(service.values['environment'])
    return {service, folder: build.folder, ...commandStart(startWords(service), build.folder, env, {exact})}
  }
  const image = imageOf(service, build, stack)
  const {folder, env, words} = image
  const written = image.candidates.find(each => each.length > 0 && runsInFolder(each, folder))
  const isScript = written?.[0]?.endsWith('.sh') === true
  // a script without a project needs the programs of its image
  if (isScript && appsIn(folder, env).length === 0) return undefined
  if (written !== undefined && (words.length > 0 || buildNote(written, folder) === '')) {
    const start = commandStart(written, folder, env, {exact, other: image.other || portNumber(env['PORT'] ?? '')})
    const skipped = written === image.candidates[1] ? image.entrypoint.join(' ') : ''
    const notes = skipped === '' ? [] : [`the ENTRYPOINT of its image, ${skipped}, is not run`]
    return {service: withNotes(image.service, notes), folder, ...start}
  }
  const project = words.length === 0 ? projectOf(service, build, image, stack) : undefined
  if (project === undefined) return undefined
  // a script does more than its project; words behind a program that the image builds are for that
  const [[first = '', ...args] = []] = image.candidates
  const isLost = first.endsWith('.sh') || (/^\.{0,2}\//.test(first) && args.length > 0)
  const notes = [
    ...project.notes,
    ...(isLost ? [`the command of its image, ${[first, ...args].join(' ')}, is not run`] : [])
  ]
  const {folder: place, keys, listens = {port: 0}} = project
  // a program without a port of its image is a worker
  const isWorker = exact + image.other === 0
  return {
    service: withNotes(image.service, notes),
    folder: place,
    command: textsOf(keys['command']),
    listens: isWorker ? {...listens, serves: false} : listens
  }
}

const withNotes = (service: Service, notes: readonly string[]): Service => ({
  ...service,
  notes: [...service.notes, ...notes]
})

const isOfDebugger = (port: unknown): boolean => /DEBUG|INSPECT|\b9229\b/i.test(JSON.stringify(port))

/** A service with the values of its ports, that of its PORT first, and notes on those of a debugger. */
function withOwnPorts(service: Service, {file}: Stack): Service {
  const {values} = service
  const own = withValues(variablePairs(values['environment'])['PORT'] ?? '', file)
  const isOwn = (port: unknown): boolean => portsOf({...service, values: {ports: [port]}})[0]?.target === own
  const all = listedValues(values['ports'])
  const notes = all.filter(isOfDebugger).map(port => `ports: ${JSON.stringify(port)} of a debugger: not carried over`)
  const ports = all.filter(each => !isOfDebugger(each)).map(each => withTexts(each, text => withValues(text, file)))
  return withNotes(
    {...service, values: {...values, ports: [...ports.filter(isOwn), ...ports.filter(each => !isOwn(each))]}},
    notes
  )
}

/** The port in its container by `ports:` or `expose:`; 0: none. */
const exactPort = (service: Service): number =>
  Number.parseInt(portsOf(service)[0]?.target ?? textsOf(service.values['expose'])[0] ?? '') || 0

/** Facts of an image about its program. */
interface Image {
  /** The service with the variables of the image. */
  readonly service: Service
  /** The folder here in which its program starts. */
  readonly folder: string
  /** Entrypoint and command of the service itself; empty: those of its image count. */
  readonly words: readonly string[]
  readonly entrypoint: readonly string[]
  /** Commands that may start it, best first, with paths of the folder. */
  readonly candidates: readonly (readonly string[])[]
  readonly env: Env
  /** The port of EXPOSE, or at which other services call it; 0: none. */
  readonly other: number
}

function imageOf(service: Service, build: Build, stack: Stack): Image {
  const dockerfile = join(build.folder, build.dockerfile)
  const target = textValue(mapOf(service.values['build'])['target'])
  const own = textValue(service.values['working_dir'])
  const {folder: copied, workdir} = startFolder(dockerfile, build.folder, target, own)
  // what is mounted there lies over the image
  const mounted = mountedFrom(workdir, service, stack.file)
  const folder = mounted !== undefined && isFolder(mounted) ? mounted : copied
  const words = withoutWorkdir(startWords(service), workdir)
  const {entrypoint, commands} = commandsOfDockerfile(dockerfile, {target, own: words})
  const hasEntrypoint = (service.values['entrypoint'] ?? null) !== null
  const {env: ofImage, left} = variablesOfDockerfile(dockerfile, target)
  const environment = {...ofImage, ...variablePairs(service.values['environment'])}
  const values = {...service.values, ...(Object.keys(ofImage).length > 0 && {environment})}
  const calls = [...stack.services.values()].flatMap(each => addressesNamed(each, stack))
  const called = Number(calls.find(([id, port]) => id === service.id && port !== '')?.[1] ?? 0)
  const mounts = listedValues(service.values['volumes']).map(
    each => /^\w[\w-]*:([^:]+)/.exec(textValue(each))?.[1] ?? ''
  )
  const outside = mounts.filter(each => each !== '' && !isInside(each, workdir))
  const notes = outside.map(each => `volumes: ${each} is in a volume: have the program write to a folder here`)
  if (left.length > 0) notes.push(`Dockerfile: ENV ${left.join(', ')}: not carried over`)
  return {
    service: withNotes({...service, values}, notes),
    folder,
    words,
    entrypoint: hasEntrypoint ? [] : withoutWorkdir(entrypoint, workdir),
    candidates: hasEntrypoint ? [words] : commands.map(each => withoutWorkdir(each, workdir)),
    env: withTexts({...variablesOfFiles(service, stack), ...environment}, text => withValues(text, stack.file)) as Env,
    other: (words.length > 0 ? 0 : portOfDockerfile(dockerfile)) || called
  }
}

/** Folders in which several projects of one context are. */
const GROUPS = ['.', 'services', 'apps', 'packages', 'cmd', 'src']

/** The project that an image is built of, where it starts, or, in a shared context, with its Dockerfile or name; undefined: none known. */
function projectOf(
  service: Service,
  build: Build,
  {folder: start, env, other}: Image,
  stack: Stack
): ImportedApp | undefined {
  const port = exactPort(service) || other
  // one Dockerfile may build all projects, each by an argument that names it
  const args = build.flags.flatMap(flag => /^--build-arg=\w+=\W{0,2}(\w[\w./@-]*)$/.exec(flag)?.[1] ?? [])
  const names = [...args.filter(each => each.includes('/')), ...namesOf(service), ...args]
  const own = appsIn(start, env, port)
  const named = names.flatMap(name => own.filter(({id}) => id === name))[0]
  if (named !== undefined) return named
  const others = [...stack.services.values()]
    .map(each => buildOf(each, stack))
    .filter(each => each?.folder === build.folder)
  const isShared = others.some(each => each?.dockerfile !== build.dockerfile)
  const areSeveral = isShared || others.some(each => each?.flags.join() !== build.flags.join())
  const isOne = own.length > 0 && !startsParts(start)
  if (isOne && !areSeveral) return own[0]
  const folders = [
    dirname(join(build.folder, build.dockerfile)),
    ...GROUPS.flatMap(group => names.map(name => join(build.folder, group, name)))
  ].filter(each => each !== start && each.startsWith(`${build.folder}/`))
  const below =
    isShared || isOne || args.some(each => each.includes('/'))
      ? []
      : foldersIn(start).flatMap(each => appsIn(each, env, port).slice(0, 1))
  const found = folders.flatMap(each => appsIn(each, env, port).slice(0, 1))[0]
  return found ?? (below.length === 1 ? below[0] : isShared ? undefined : own[0])
}

/** The possible names of a service's project: `cart`, of a service `cart-service` with an image `shop/cart`. */
const namesOf = ({id, values}: Service): readonly string[] =>
  [id, basename(imageName(textValue(values['image'])))]
    .flatMap(each => [each, each.replace(/[-_]?(?:service|svc|srv|app|server)$/, ''), `${each}-service`])
    .filter(Boolean)
