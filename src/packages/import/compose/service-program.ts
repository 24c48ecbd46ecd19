// The program of a service whose image is built here: by its own command, that of its image, or the project in its folder.
import {join} from 'node:path'
import {programsIn} from '../../../files/config/programs.ts'
import {shellQuoted} from '../../../model/shell-quoted.ts'
import {commandListening} from '../folder/command-start.ts'
import {buildNote} from '../folder/languages/node.ts'
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
import {isFolder} from '../reading/files.ts'
import {calledAt, GUESSED, isOfPort, listeningKeys, type Listening, type ListensAt} from '../reading/listening.ts'
import {mapOf, textsOf, textValue, variablePairs} from '../reading/yaml-file.ts'
import {callsIn, variablesOfFiles} from './environment.ts'
import {withValues} from './project.ts'
import type {ListeningProgram} from './ports.ts'
import {buildOf, portsOf, startWords, type Build, type Env, type Service, type Stack} from './service.ts'
import {projectOf} from './service-project.ts'

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
    const found = commandListening(command, build.folder, variablePairs(service.values['environment']))
    const start = listeningKeys(command, build.folder, {...found, port: exactPort(service) || found.port})
    return {service, folder: build.folder, start, skipped: []}
  }
  const image = imageOf(service, build, stack)
  const written = image.candidates.find(each => each.length > 0 && runsInFolder(each, image.folder))
  if (written !== undefined && (image.words.length > 0 || buildNote(written, image.folder) === '')) {
    const skipped = written === image.candidates[1] ? image.entrypoint : []
    return {service: image.service, folder: image.folder, start: writtenStart(written, image), skipped}
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
interface Image {
  /** With the variables of the image. */
  readonly service: Service
  /** The folder here in which its program starts. */
  readonly folder: string
  /** Entrypoint and command of the service itself; empty: those of its image count. */
  readonly words: readonly string[]
  readonly entrypoint: readonly string[]
  /** Commands that may start it, best first, with paths of the folder. */
  readonly candidates: readonly (readonly string[])[]
  /** The command of the image itself. */
  readonly usual: readonly string[]
  readonly env: Env
  /** The port in the container by `ports:` or `expose:`; 0: none. */
  readonly exact: number
  /** The port of EXPOSE, or at which other services call it; 0: none. */
  readonly other: number
}

function imageOf(service: Service, build: Build, stack: Stack): Image {
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
    service: {...service, values, notes: [...service.notes, ...notes]},
    folder,
    words,
    entrypoint: hasEntrypoint ? [] : withoutWorkdir(entrypoint, workdir),
    candidates: hasEntrypoint ? [words] : commands.map(each => withoutWorkdir(each, workdir)),
    usual: commandsOfDockerfile(dockerfile, {target}).commands[0] ?? [],
    env: {...variablesOfFiles(service, stack), ...environment},
    exact: exactPort(service),
    other: (words.length > 0 ? 0 : portOfDockerfile(dockerfile)) || called
  }
}

/** The keys of a program whose command is written. */
function writtenStart(command: readonly string[], {folder, env, exact, other}: Image): Listening {
  const found = commandListening(command, folder, env)
  const known = found.guess === undefined ? found.port : 0
  const port = exact || known || other || Number(env['PORT'] ?? 0)
  const takes = found.takes ?? (env['PORT'] === port.toString() ? 'PORT' : undefined)
  const start = listeningKeys(command, folder, port > 0 ? {port, takes} : found)
  // most programs that nobody calls serve nothing
  return port === 0 && found.serves !== true ? {...start, notes: start.notes.filter(note => !isOfPort(note))} : start
}

/** The keys of a project. Its server of development listens where the project says; a guess counts less than the file. */
function projectStart({keys, move, notes, folder}: ImportedApp, {words, exact, other}: Image): Listening {
  const start: Listening = {keys, move, notes: notes.filter(isOfPort)}
  const own = Number(keys['port'] ?? keys['appPort'] ?? 0)
  // the code of a worker is that of a server
  const isTold = move !== undefined && Object.keys(move(own)).length === 0
  if (words.length > 0 && exact === 0 && other === 0 && !isTold)
    return {keys: {command: keys['command']}, notes: []}
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
