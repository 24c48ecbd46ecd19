import {realpathSync} from 'node:fs'
import {dirname, isAbsolute, join, resolve} from 'node:path'
import {orElse} from '../../../model/or-else.ts'
import {readImported} from '../find-source.ts'
import {isRepository} from './service.ts'
import {pathTo, unreadable, withBraces, type ImportedFile} from '../imported.ts'
import {withValues} from './project.ts'
import {isFile} from '../reading/files.ts'
import {
  isMap,
  listedValues,
  mapOf,
  mergedValues,
  textValue,
  textsOf,
  valuesOf,
  withoutReset,
  type Values
} from '../reading/yaml-file.ts'

/** Files that each include the next one twice are read without an end. */
const MAX_READS = 1000

/**
 * Reads a compose file with the files that it includes and extends, and overrides over it, as compose-go merges them (its packages
 * loader and override). Paths in the values count from the folder of the file, or from `from`; the notes name unreadable bases by service. Throws a `UserError` for a file that is broken or includes itself.
 */
export function readProject(
  file: ImportedFile,
  overrides: readonly ImportedFile[],
  cwd: string,
  from = dirname(file.path)
): Pick<ProjectReader, 'notes' | 'envs'> & {readonly values: Values} {
  const folder = dirname(file.path)
  const reader = new ProjectReader(cwd, file)
  const values = reader.together([file, ...overrides], folder)
  return {values: withPathsFrom(values, folder, from), notes: reader.notes, envs: reader.envs}
}

class ProjectReader {
  readonly notes = new Map<string, string[]>()
  /** The env files of included files. */
  readonly envs: string[] = []
  readonly #cwd: string
  /** The files that are being included, the outermost first. */
  readonly #open: string[] = []
  #reads = 0
  readonly #first: ImportedFile

  constructor(cwd: string, first: ImportedFile) {
    this.#cwd = cwd
    this.#first = first
  }

  /** Each file over those before it. `folder`: where their relative paths count from. */
  together([first, ...over]: readonly [ImportedFile, ...ImportedFile[]], folder: string): Values {
    return over.reduce(
      (below, each) => mergedValues(withoutReset(below, each), this.#read(each, folder)),
      this.#read(first, folder)
    )
  }

  #read(file: ImportedFile, folder: string): Values {
    const id = realpathSync(file.path)
    if (this.#open.includes(id))
      throw unreadable(file, 'it includes itself', Math.max(0, file.text.search(/^include:/m)))
    this.#reads += 1
    if (this.#reads > MAX_READS) throw unreadable(file, `files are included more than ${MAX_READS} times`, 0)
    this.#open.push(id)
    const {include, ...own} = valuesOf(file)
    const services = mapOf(own['services'])
    const whole = Object.keys(services).map(name => [name, this.#extended(name, {file, folder, services})])
    const values = 'services' in own ? {...own, services: Object.fromEntries(whole) as Values} : own
    const included = listedValues(include).map(each => this.#included(each, file, folder))
    this.#open.pop()
    return [...included, values].reduce((below, over) => mergedValues(below, over))
  }

  /** An entry of `include`: a path, or several that override each other, with the folder from which their paths count. */
  #included(entry: unknown, {path}: ImportedFile, folder: string): Values {
    const {path: named = entry, project_directory: own, env_file: files} = mapOf(entry)
    if (textsOf(named).some(isRepository)) return {include: [entry]} // compose fetches it; a note names it
    const [first, ...over] = textsOf(named).map(each => readImported(this.#pathOf(each, path), this.#cwd))
    if (first === undefined) return {}
    const from = textValue(own) === '' ? dirname(first.path) : this.#pathOf(textValue(own), path)
    const ofFiles = files === undefined ? [join(from, '.env')] : textsOf(files).map(each => this.#pathOf(each, path))
    this.envs.push(...ofFiles.filter(isFile))
    return withPathsFrom(this.together([first, ...over], from), from, folder)
  }

  /** Returns the absolute path of a name in a file, with compose's variables. */
  #pathOf(named: string, path: string): string {
    return resolve(dirname(path), withValues(withBraces(named), this.#first))
  }

  /** Returns a service with its bases, also of other files. */
  #extended(name: string, within: Extending): Values {
    const {file, folder, services, owner = name, open = []} = within
    const {extends: from, ...own} = mapOf(services[name])
    const base = textValue(from) || textValue(mapOf(from)['service'])
    if (base === '') return own
    const named = textValue(mapOf(from)['file'])
    const path = this.#pathOf(named, file.path)
    const other = named === '' ? file : orElse(() => readImported(path, this.#cwd), undefined) // a note names it
    const others = other === file ? services : mapOf(other && valuesOf(other)['services'])
    const opened = [...open, `${file.path}:${name}`]
    if (other === undefined || !(base in others) || opened.includes(`${other.path}:${base}`)) {
      this.notes.set(owner, [`extends: there is no service ${base}${named === '' ? '' : ` in ${named}`}`])
      return own
    }
    const origin = other === file ? folder : dirname(other.path)
    const below = this.#extended(base, {file: other, folder: origin, services: others, owner, open: opened})
    const {services: left} = withoutReset({services: {[name]: withPaths(below, origin, folder)}}, file)
    return mergedValues(mapOf(mapOf(left)[name]), own)
  }
}

interface Extending {
  readonly file: ImportedFile
  readonly folder: string
  readonly services: Values
  /** The service that is read, and its open bases. */
  readonly owner?: string
  readonly open?: readonly string[]
}

/** The values of a file whose relative paths count from another folder. */
const withPathsFrom = (values: Values, from: string, to: string): Values => ({
  ...values,
  ...Object.fromEntries(
    ['services', 'secrets', 'configs'].flatMap(key => {
      const all = Object.entries(mapOf(values[key])).map(([name, each]) => [name, withPaths(mapOf(each), from, to)])
      return key in values ? [[key, Object.fromEntries(all)]] : []
    })
  )
})

/** The values of one service, secret or config, with its relative paths counted from another folder. */
function withPaths(service: Values, from: string, to: string): Values {
  if (from === to) return service
  const moved = (path: unknown): unknown =>
    typeof path !== 'string' || isAbsolute(path) || /^[~$]/.test(path) || isRepository(path)
      ? path
      : pathTo(join(from, path), to)
  const {build, env_file: envFile, volumes, file} = service
  const inMap =
    (key: string) =>
    (value: unknown): unknown =>
      isMap(value) && key in value ? {...value, [key]: moved(value[key])} : moved(value)
  return {
    ...service,
    ...(build !== undefined && {
      build: isMap(build) ? {...build, context: moved(build['context'] ?? '.')} : moved(build)
    }),
    ...(envFile !== undefined && {env_file: listedValues(envFile).map(inMap('path'))}),
    ...(file !== undefined && {file: moved(file)}),
    ...(Array.isArray(volumes) && {volumes: volumes.map(each => movedMount(each, moved))})
  }
}

/** A folder of this machine in `SOURCE:TARGET`, or in the long form; the name of a volume stays. */
function movedMount(mount: unknown, moved: (path: unknown) => unknown): unknown {
  if (isMap(mount)) return mount['type'] === 'bind' ? {...mount, source: moved(mount['source'])} : mount
  const [, source = '', rest = ''] = /^(\.[^:]*)(:.*)$/.exec(textValue(mount)) ?? []
  return rest === '' ? mount : `${String(moved(source))}${rest}`
}
