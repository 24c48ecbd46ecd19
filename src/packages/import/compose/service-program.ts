// The program of a service whose image is built here: by its own command, that of its image, or the project in its folder.
import {basename, dirname, join} from 'node:path'
import {programsIn} from '../../../files/config/programs.ts'
import {shellQuoted} from '../../../model/shell-quoted.ts'
import {commandStart} from '../folder/command-start.ts'
import {appsIn} from '../folder/folder.ts'
import {buildNote, startsParts} from '../folder/languages/node.ts'
import {withTexts, type ImportedApp} from '../imported.ts'
import {
  commandsOfDockerfile,
  isKnownProgram,
  portOfDockerfile,
  runsInFolder,
  startFolder,
  variablesOfDockerfile,
  withoutWorkdir
} from '../reading/dockerfile.ts'
import {imageName} from '../kubernetes/workloads.ts'
import {foldersIn, isFolder} from '../reading/files.ts'
import {calledAt, GUESSED, isOfPort, listeningKeys, type PortKeys, type ListensAt} from '../reading/listening.ts'
import {mapOf, textsOf, textValue, variablePairs} from '../reading/yaml-file.ts'
import {callsIn, variablesOfFiles} from './environment.ts'
import {withValues} from './project.ts'
import type {ListeningProgram} from './ports.ts'
import {buildOf, portsOf, startWords, type Build, type Env, type Service, type Stack} from './service.ts'

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
    const env = variablePairs(service.values['environment'])
    const start = commandStart(command, build.folder, env, {exact: exactPort(service)})
    return {service, folder: build.folder, start, skipped: []}
  }
  const image = imageOf(service, build, stack)
  const written = image.candidates.find(each => each.length > 0 && runsInFolder(each, image.folder))
  // a script without a project needs the programs of its image
  if (written?.[0]?.endsWith('.sh') === true && appsIn(image.folder, image.env).length === 0) return undefined
  if (written !== undefined && (image.words.length > 0 || buildNote(written, image.folder) === '')) {
    const skipped = written === image.candidates[1] ? image.entrypoint : []
    const {folder, env, exact} = image
    const start = commandStart(written, folder, env, {exact, other: image.other || Number(env['PORT'] ?? 0)})
    return {service: image.service, folder, start, skipped}
  }
  const project = projectOf(service, build, image, stack)
  const args = project && argumentsOf(image, project)
  const hasPath = args?.some(isPath) === true
  if (args === undefined || project === undefined || (image.words.length > 0 && hasPath)) return undefined
  const start = projectStart(project, image)
  const command = withArguments(textsOf(start.keys['command']), hasPath ? [] : args)
  const left = hasPath ? [`command: ${args.join(' ')}: paths of the image: not carried over`] : []
  const notes = [...image.service.notes, ...project.notes.filter(note => !isOfPort(note)), ...left]
  const whole = {...start, keys: {...start.keys, command}}
  return {service: {...image.service, notes}, folder: project.folder, start: whole, skipped: []}
}

/** The port in its container by `ports:` or `expose:`; 0: none. */
const exactPort = (service: Service): number =>
  Number.parseInt(portsOf(service)[0]?.target ?? textsOf(service.values['expose'])[0] ?? '') || 0

/** Facts of an image about its program. */
type Image = ReturnType<typeof imageOf>

// oxlint-disable-next-line typescript/explicit-function-return-type -- the type is that of this object
function imageOf(service: Service, build: Build, stack: Stack) {
  const dockerfile = join(build.folder, build.dockerfile)
  const target = textValue(mapOf(service.values['build'])['target'])
  const {folder, workdir} = startFolder(dockerfile, build.folder, target)
  const words = withoutWorkdir(startWords(service), workdir)
  const {entrypoint, commands} = commandsOfDockerfile(dockerfile, {target, own: words})
  const hasEntrypoint = (service.values['entrypoint'] ?? null) !== null
  const {env: ofImage, left} = variablesOfDockerfile(dockerfile, target)
  const environment = {...ofImage, ...variablePairs(service.values['environment'])}
  const values = {...service.values, ...(Object.keys(ofImage).length > 0 && {environment})}
  const notes = left.length === 0 ? [] : [`Dockerfile: ENV ${left.join(', ')}: not carried over`]
  const called = Number(callsIn(stack).find(([id, port]) => id === service.id && port !== '')?.[1] ?? 0)
  return {
    /** With the variables of the image. */
    service: {...service, values, notes: [...service.notes, ...notes]},
    /** The folder here in which its program starts. */
    folder,
    /** Entrypoint and command of the service itself; empty: those of its image count. */
    words,
    entrypoint: hasEntrypoint ? [] : withoutWorkdir(entrypoint, workdir),
    /** Commands that may start it, best first, with paths of the folder. */
    candidates: hasEntrypoint ? [words] : commands.map(each => withoutWorkdir(each, workdir)),
    /** The command of the image itself. */
    usual: commandsOfDockerfile(dockerfile, {target}).commands[0] ?? [],
    env: {...variablesOfFiles(service, stack), ...environment} as Env,
    exact: exactPort(service),
    /** The port of EXPOSE, or at which other services call it; 0: none. */
    other: (words.length > 0 ? 0 : portOfDockerfile(dockerfile)) || called
  }
}

/** Folders in which several projects of one context are. */
const GROUPS = ['.', 'services', 'apps', 'packages', 'cmd', 'src']

/** The project that an image is built of, where it starts, or, in a shared context, with its Dockerfile or name; undefined: none known. */
function projectOf(
  service: Service,
  build: Build,
  {folder: start, env, candidates}: Image,
  stack: Stack
): ImportedApp | undefined {
  // one Dockerfile may build all projects, each by an argument that names it
  const ofArguments = build.flags.flatMap(flag => /^--build-arg=\w+=\W{0,2}(\w[\w./@-]*)$/.exec(flag)?.[1] ?? [])
  const known = [...ofArguments.filter(each => each.includes('/')), ...namesOf(service), ...ofArguments]
  const own = appsIn(start, env)
  const built = programsIn(candidates[0] ?? [], '').map(({name}) => name)
  const named = [...built, ...known].flatMap(name => own.filter(({id}) => id === name))[0]
  const others = [...stack.services.values()].filter(each => buildOf(each, stack)?.folder === build.folder)
  const isShared = others.some(each => buildOf(each, stack)?.dockerfile !== build.dockerfile)
  const unlike = others.filter(each => buildOf(each, stack)?.flags.join() !== build.flags.join())
  const areSeveral = unlike.some(each => startWords(each).length === 0)
  const isOne = own.length > 0 && !isShared && !startsParts(start)
  if (named !== undefined || (isOne && !areSeveral)) return named ?? own[0]
  const names = isOne ? ofArguments : known
  const folders = [
    dirname(join(build.folder, build.dockerfile)),
    ...GROUPS.flatMap(group => names.map(name => join(build.folder, group, name)))
  ].filter(each => each !== start && each.startsWith(`${build.folder}/`))
  const below = own.length === 0 && !isShared ? foldersIn(start).flatMap(each => appsIn(each, env).slice(0, 1)) : []
  const texts = [...stack.services.values()].flatMap(each => [...namesOf(each), ...(buildOf(each, stack)?.flags ?? [])])
  const isOfOther = texts.some(text => basename(text.replace(/.*=/, '')) === basename(below[0]?.folder ?? ''))
  const alone = below.length === 1 && !(areSeveral && isOfOther) ? below[0] : undefined
  return folders.flatMap(each => appsIn(each, env).slice(0, 1))[0] ?? alone ?? (isShared ? undefined : own[0])
}

/** The possible names of a service's project: `cart`, of a service `cart-service` with an image `shop/cart`. */
function namesOf({id, values}: Service): readonly string[] {
  return [id, basename(imageName(textValue(values['image'])))]
    .flatMap(each => [each, each.replace(KIND, ''), each.replace(/[-_]?(?:svc|srv)$/, '-service')])
    .filter(Boolean)
}
const KIND = /[-_]?(?:service|svc|srv|app|server)$/

/** The keys of a project. Its server of development listens where the project says; a guess counts less than the file. */
function projectStart({keys, move, notes, folder}: ImportedApp, {words, exact, other}: Image): PortKeys {
  const start: PortKeys = {keys, move, notes: notes.filter(isOfPort)}
  const own = Number(keys['port'] ?? keys['appPort'] ?? 0)
  // the code of a worker is that of a server
  const isTold = move !== undefined && Object.keys(move(own)).length === 0
  if (words.length > 0 && exact === 0 && other === 0 && !isTold) return {keys: {command: keys['command']}, notes: []}
  const isGuess = notes.some(note => note.startsWith(GUESSED))
  if (own > 0) return isTold && isGuess && exact > 0 ? calledAt(start, exact) : start
  if (exact === 0 && other === 0) return {...start, notes: []}
  const takes: ListensAt['takes'] = isTold ? 'PORT' : undefined
  return listeningKeys(textsOf(keys['command']), folder, {port: exact || other, takes})
}

/** Words behind the program of an image, with which the project starts here; undefined: the service starts something else. */
function argumentsOf(image: Image, project: ImportedApp): readonly string[] | undefined {
  const {candidates, entrypoint, usual, words} = image
  const line = textsOf(project.keys['command']).join(' ')
  const isCompiled = /\b(?:go|cargo|dotnet) run\b/.test(line)
  const [program] = programsIn(candidates[0] ?? [], '').slice(-1)
  const isBuilt = isCompiled && program !== undefined && !isKnownProgram(program.name)
  if (words.length === 0) return isBuilt ? program.args : []
  const [first] = programsIn(entrypoint, '').slice(-1)
  if (first !== undefined && !/^(?:tini|dumb-init|su-exec|gosu|.*\.sh)$/.test(first.name))
    return entrypoint[0] === 'sh' ? [] : words
  return isBuilt && programsIn(usual, '').at(-1)?.name === program.name ? program.args : undefined
}

/** A path of the image. */
const isPath = (word: string): boolean => /^(?:-[\w-]+=)?\//.test(word)

/** A command that passes words on to the program that it builds. */
function withArguments(command: readonly string[], args: readonly string[]): readonly string[] {
  if (args.length === 0) return command
  const [shell, , line = ''] = command
  const text = shell === 'sh' ? line : command.join(' ')
  const joined = args.join(' ')
  const words = /\bspring-boot:run\b/.test(text)
    ? [`-Dspring-boot.run.arguments=${joined}`]
    : /\bbootRun\b/.test(text)
      ? [`--args=${joined}`]
      : [...(/\b(?:cargo|dotnet|npm) run\b/.test(text) ? ['--'] : []), ...args]
  return shell === 'sh' ? ['sh', '-c', [line, ...words.map(shellQuoted)].join(' ')] : [...command, ...words]
}
