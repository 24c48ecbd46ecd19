import {existsSync} from 'node:fs'
import {basename, dirname, join, posix} from 'node:path'
import {envFileVariables, missingFileNote, oddNotes, withNamed} from '../reading/variables.ts'
import {colonParts} from '../reading/shell-words.ts'
import {pathFrom, pathTo, type ImportedFile} from '../imported.ts'
import {variableOf} from '../../../model/environment.ts'
import {expand, type FileVariables} from '../../../model/expansion.ts'
import {isFile} from '../reading/files.ts'
import {isInside} from '../../../model/glob.ts'
import {given, isMap, listedValues, mapOf, pathOfEntry, textValue, written, type Values} from '../reading/yaml-file.ts'

/** The name of a project: COMPOSE_PROJECT_NAME, the file's `name`, or its folder (docs.docker.com/compose/how-tos/project-name). */
export const projectName = (file: ImportedFile, name: string): string =>
  [variableOf(knownVariables(file), 'COMPOSE_PROJECT_NAME'), name, basename(dirname(file.path))]
    .map(normal)
    .find(each => each !== '') ?? 'project'

/** The files `.env` of a project, the first one above the others: that of the folder where compose is started, and that next to its file. */
export const variablesFiles = ({path, start = dirname(path)}: ImportedFile): readonly string[] =>
  [...new Set([start, dirname(path)])].map(each => join(each, '.env')).filter(isFile)

/** Returns the variables of these env files, below the variables of Pillion's own environment, as compose does. */
const knownVariables = (file: ImportedFile, files = variablesFiles(file)): FileVariables =>
  Object.assign({}, ...files.toReversed().map(envFileVariables), process.env) as FileVariables

/** Replaces the variables of a text by their present values; returns the text itself if nothing is left. `file`: the project's first compose file. */
export const withValues = (typed: string, file: ImportedFile, files?: readonly string[]): string =>
  expand({value: typed, text: '', start: 0, end: 0}, typed.includes('${') ? knownVariables(file, files) : {}).value ||
  typed

/** Gives variables without a value the one that `.env` has. */
export function withEnvFile(service: Values, file: ImportedFile): Values {
  const {environment, build} = service
  const files = variablesFiles(file)
  return {
    ...service,
    ...given({
      environment: withNamed('environment', environment, files),
      build: isMap(build) ? {...build, ...given({args: withNamed('args', build['args'], files)})} : build
    })
  }
}

/** A note on the services of COMPOSE_PROFILES, which compose starts by themselves. */
export function profilesNote(file: ImportedFile): readonly string[] {
  const active = variableOf(knownVariables(file), 'COMPOSE_PROFILES')
  return active === '' ? [] : [`COMPOSE_PROFILES: ${active}: write pillion up --profile ${active}`]
}

/** Normalises a name as compose-go does (loader.NormalizeProjectName); one with variables is replaced later. */
const normal = (name: string): string =>
  name.includes('${')
    ? name
    : name
        .toLowerCase()
        .replaceAll(/[^a-z0-9_-]/g, '')
        .replace(/^[_-]+/, '')

/** The names of a file's volumes for `docker run`: `PROJECT_NAME`, or their own. */
export function volumeNames(project: string, volumes: unknown): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(mapOf(volumes)).map(([id, value]) => {
      const {name, external} = mapOf(value)
      const own = textValue(name) || textValue(mapOf(external)['name'])
      return [id, own || (external === 'true' ? id : `${project}_${id}`)]
    })
  )
}

/** Notes on volumes that `docker run` alone would make in another way. */
export const volumeNotes = (volumes: unknown): readonly string[] =>
  Object.entries(mapOf(volumes)).flatMap(([id, value]) => {
    const {name: _name, external: _external, labels: _labels, driver = 'local', ...more} = mapOf(value)
    const rest = driver === 'local' ? more : {driver, ...more} // docker itself takes the driver local
    if (Object.keys(rest).length === 0) return []
    return [`volumes: ${id}: ${written(rest)} is not carried over: docker volume create makes it`]
  })

/** The mounts of a service, as `docker run --volume` reads them. */
export function mountsOf(volumes: unknown, names: Mounts, notes: string[]): readonly string[] {
  return listedValues(volumes).flatMap(each => {
    if (!isMap(each)) return [shortMount(textValue(each), names)]
    const {type = 'volume', source, target, read_only: isReadOnly} = each
    const isKnown = textValue(target) !== '' && (type === 'volume' || (type === 'bind' && textValue(source) !== ''))
    if (!isKnown) {
      notes.push(`volumes: ${JSON.stringify(each)} is not carried over`)
      return []
    }
    const path = type === 'bind' ? textValue(source).replace(/^(?=\w)/, './') : textValue(source)
    const from = path === '' ? '' : `${sourceOf(path, names)}:`
    return [`${from}${textValue(target)}${isReadOnly === 'true' ? ':ro' : ''}`]
  })
}

/** Folders of a container in which compose mounts secrets and configs. */
const PLACES = {secrets: '/run/secrets', configs: '/'}

/** Mounts secrets and configs of a service that are files, as compose does. Others have a note. */
export function withFiles(service: Values, project: Values, file: ImportedFile, notes: string[]): Values {
  const mounts = Object.entries(PLACES).flatMap(([key, folder]) =>
    listedValues(service[key]).flatMap(each => {
      const name = textValue(each) || textValue(mapOf(each)['source'])
      const own = mapOf(mapOf(project[key])[name])
      const source = textValue(own['file'])
      const path = pathFrom(file, withValues(source, file))
      const target = posix.resolve(folder, textValue(mapOf(each)['target']) || name)
      if (source === '') notes.push(`${key}: ${name}: ${written(own)} is not carried over`)
      else if (!existsSync(path)) notes.push(missingFileNote(source, path, key))
      return source === '' ? [] : [{type: 'bind', source, target, read_only: 'true', key}]
    })
  )
  return mounts.length === 0 ? service : {...service, volumes: [...listedValues(service['volumes']), ...mounts]}
}

/** Notes on files that a program finds at other places in its container: secrets, configs, and mounts from outside of its folder. */
export const mountNotes = ({volumes}: Values, file: ImportedFile, folder: string): readonly string[] =>
  listedValues(volumes).flatMap(each => {
    const [[source, target] = ['', '']] = boundMounts([each])
    const [path, key] = [pathFrom(file, source), textValue(mapOf(each)['key'])]
    const isCode = key === '' && (source === target || isInside(path, folder) || isInside(folder, path))
    if (!isCode) return [`${key || 'volumes'}: ${target} is ${source} here: have the program read that`]
    const isThere = existsSync(path) || source.includes('$')
    return isThere ? [] : [`volumes: ${source} is not there, where docker makes an empty folder: make one`]
  })

/** Files and folders of this machine, each with its place in the container. */
export function boundMounts(volumes: unknown): readonly (readonly [string, string])[] {
  return listedValues(volumes).flatMap(each => {
    if (isMap(each))
      return each['type'] === 'bind' ? [[textValue(each['source']), textValue(each['target'])] as const] : []
    const [, source = '', target = ''] = /^([./][^:]*):([^:]+)/.exec(textValue(each)) ?? []
    return source === '' ? [] : [[source, target] as const]
  })
}

/** `volumes`: names of volumes by their ids in the file. */
type Mounts = Readonly<{project: string; volumes: ReadonlyMap<string, string>}>

/** `SOURCE:TARGET[:ro]`, or only a target. */
function shortMount(text: string, names: Mounts): string {
  const [source = ''] = colonParts(text)
  return ['', text].includes(source) ? text : sourceOf(source, names) + text.slice(source.length)
}

/** Returns the source of a mount. A folder of this machine stays, except that no shell reads `~` here. */
function sourceOf(source: string, {project, volumes}: Mounts): string {
  if (source.startsWith('~')) return `\${HOME}${source.slice(1)}`
  return /^[./$]/.test(source) ? source : (volumes.get(source) ?? `${project}_${source}`)
}

type Own = Readonly<{values: Values}>
type Project = Readonly<{file: ImportedFile}>

/** Notes on env files that compose needs and a person makes of a sample, and on those in which it replaces variables. */
export const envFileNotes = ({values}: Own, {file}: Project): readonly string[] =>
  listedValues(values['env_file']).flatMap(each => {
    const path = pathOfEntry(each)
    const at = pathFrom(file, path)
    if (existsSync(at)) return mapOf(each)['format'] === 'raw' ? [] : oddNotes('env_file', at, path)
    return mapOf(each)['required'] === 'false' || path.includes('${') ? [] : [missingFileNote(path, at)]
  })

/** Returns the env files of a service for `envFile`: their paths count from the folder of the app. */
export function envFilesOf({values}: Own, {file}: Project, folder: string): unknown {
  const files = listedValues(values['env_file']).map(each => {
    const at = pathFrom(file, pathOfEntry(each))
    const path = pathTo(at, folder)
    return existsSync(at) && !(isMap(each) && each['required'] === 'false') ? path : {path, required: false}
  })
  return files.length === 0 ? undefined : files.length === 1 ? files[0] : files
}
