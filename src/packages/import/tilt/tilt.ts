// Tilt: what a Tiltfile starts on this machine, and the images that it builds for Kubernetes (docs.tilt.dev/api.html).
import {existsSync} from 'node:fs'
import {basename, dirname, relative, resolve} from 'node:path'
import {importServices} from '../compose/compose.ts'
import {readProject} from '../compose/files.ts'
import {variablesFiles} from '../compose/project.ts'
import {readImported} from '../find-source.ts'
import {appsIn} from '../folder/folder.ts'
import {unreadable, withoutVariables, type Imported, type ImportedApp, type ImportedFile} from '../imported.ts'
import {imagesAlone, servicesOf, type ImageBuild} from '../kubernetes/workloads.ts'
import {readManifests} from '../kubernetes/manifests.ts'
import {commandOf, commandPort} from '../reading/shell-words.ts'
import {runStarlark} from './starlark.ts'
import {isCall, isStarList, isStarMap, scalarOf, type StarCall, type StarValue} from './starlark-values.ts'
import {given, mapOf, mergedValues, textsOf, textValue, type Values} from '../reading/yaml-file.ts'

/** The apps that a Tiltfile starts. Rejects with a `UserError` if none of them can be read. */
export async function importTiltfile(file: ImportedFile, cwd: string): Promise<Imported> {
  const tiltfile = new Tiltfile(file, cwd)
  const root = dirname(file.path)
  const {objects, notes} = readManifests(tiltfile.manifests, root, cwd)
  const {services: workloads, notes: notesOf} = servicesOf(objects, tiltfile.builds, root)
  const jobs = objects.filter(({values}) => values['kind'] === 'Job')
  tiltfile.ending.push(...textsOf(jobs.map(({values}) => mapOf(values['metadata'])['name'])))
  const alone = imagesAlone(tiltfile.builds, workloads, root)
  const services = withForwards({...workloads, ...Object.fromEntries(alone)}, tiltfile)
  const composed = tiltfile.composeFiles.map(each => readProject(each, [], cwd, root))
  const all = composed.reduce<Values>((values, {values: over}) => mergedValues(values, over), {services})
  const hasServices = Object.keys(mapOf(all['services'])).length > 0
  const allNotes = new Map([...notesOf, ...composed.flatMap(each => [...each.notes])])
  const envs = [...tiltfile.composeFiles.flatMap(variablesFiles), ...composed.flatMap(each => each.envs)]
  const imported = hasServices
    ? importServices({file, values: all, notes: allNotes, envs, from: basename(file.path)})
    : undefined
  const own = imported?.interpolate === undefined ? tiltfile.apps : tiltfile.apps.map(withoutVariables)
  const apps = [...(imported?.apps ?? []), ...own]
  if (apps.length === 0) throw unreadable(file, 'it starts nothing that can be read', 0)
  const ids = new Set(apps.map(({id}) => id))
  return {
    ...imported,
    from: basename(file.path),
    apps: apps.map(app => withNeeds(app, tiltfile, ids)),
    notes: [
      ...tiltfile.notes,
      ...notes,
      ...(imported?.notes ?? []),
      ...alone.map(
        ([, {image}]) =>
          `${textValue(image)}: no manifest that was read runs this image: its ports and environment are not known`
      )
    ]
  }
}

class Tiltfile {
  readonly apps: ImportedApp[] = []
  readonly notes: string[] = []
  /** The apps that run a command and end. */
  readonly ending: string[] = []
  readonly builds = new Map<string, ImageBuild>()
  /** Absolute. */
  readonly manifests: string[] = []
  readonly composeFiles: ImportedFile[] = []
  /** By app, of `k8s_resource` and `dc_resource`: ports of this machine, `8080`, or with that of the container, `8080:80`. */
  readonly resources = new Map<string, Record<'forwards' | 'needs', readonly string[]>>()
  readonly #cwd: string
  readonly #root: string
  readonly #seen = new Set<string>()
  /** By the names of resources, which may contain what an id may not. */
  readonly #ids = new Map<string, string>()

  constructor(file: ImportedFile, cwd: string) {
    this.#cwd = cwd
    this.#root = dirname(file.path)
    this.#read(file)
  }

  #read(file: ImportedFile): void {
    if (this.#seen.has(file.path)) return
    this.#seen.add(file.path)
    runStarlark(file.text, call => this.#called(call, file))
  }

  #called(call: StarCall, file: ImportedFile): void {
    const folder = dirname(file.path)
    const place = `${file.shownAs}:${call.line}`
    const path = textValue(call.named.get('path') ?? call.args[0])
    if (call.call === 'local_resource') return this.#addApp(call, folder, place)
    if (call.call === 'k8s_yaml') return this.#addManifests(call.named.get('yaml') ?? call.args[0], folder, place)
    if (/^(?:docker_build(?:_with_restart)?|custom_build)$/.test(call.call)) return this.#addBuild(call, folder, place)
    if (/^(?:k8s|dc)_resource$/.test(call.call)) return this.#addResource(call)
    if (/^(?:include|load)$/.test(call.call) && !path.startsWith('ext://'))
      this.#open(resolve(folder, path), place, found => this.#read(found))
    if (/^helm(?:_resource|_remote)?$/.test(call.call))
      this.notes.push(`${place}: ${call.call}: charts are not read: what it starts is left out`)
    const files = call.call === 'docker_compose' ? textsOf(call.named.get('configPaths') ?? call.args[0]) : []
    for (const each of files) this.#open(resolve(folder, each), place, found => this.composeFiles.push(found))
    if (call.call === 'docker_compose' && files.length === 0)
      this.notes.push(`${place}: docker_compose is not carried over: its files are not named here`)
    if (call.call === 'k8s_custom_deploy') this.notes.push(`${place}: ${call.call} is not carried over`)
  }

  #open(path: string, place: string, use: (file: ImportedFile) => void): void {
    try {
      if (existsSync(path)) use(readImported(path, this.#cwd))
      else this.notes.push(`${place}: there is no ${relative(this.#root, path)}`)
    } catch {
      this.notes.push(`${place}: ${relative(this.#root, path)} cannot be read`)
    }
  }

  #addBuild({call, named, args}: StarCall, folder: string, place: string): void {
    const [name, dockerfile] = [textValue(named.get('ref') ?? args[0]), textValue(named.get('dockerfile'))]
    const places = call === 'custom_build' ? (named.get('deps') ?? args[2]) : (named.get('context') ?? args[1])
    const entry = call === 'custom_build' ? [] : wordsOf(named.get('entrypoint'))
    const context = resolve(folder, textsOf(places)[0] ?? '.')
    if (name === '') this.notes.push(`${place}: an image whose name is not written here is left out`)
    else
      this.builds.set(name, {
        folder: context,
        ...(dockerfile !== '' && {dockerfile: relative(context, resolve(folder, dockerfile))}),
        ...given({target: named.get('target'), args: variables(named.get('build_args')), entrypoint: entry[0] && entry})
      })
  }

  #addManifests(value: StarValue, folder: string, place: string): void {
    if (isStarList(value)) for (const each of value) this.#addManifests(each, folder, place)
    else if (typeof value === 'string') this.manifests.push(resolve(folder, value))
    else if (isCall(value) && ['kustomize', 'listdir', 'read_file'].includes(value.call))
      this.manifests.push(resolve(folder, textValue(value.args[0])))
    else if (isCall(value) && value.call === 'helm') return
    else this.notes.push(`${place}: the manifests of this k8s_yaml are not read: they are not named here`)
  }

  #addResource(call: StarCall): void {
    const name = textValue(call.named.get('workload') ?? call.named.get('name') ?? call.args[0])
    const forwards = [call.named.get('port_forwards') ?? []]
      .flat()
      .map(each => (isCall(each) ? each.args.slice(0, 2).map(scalarOf).join(':') : scalarOf(each)))
    const {forwards: before, needs} = this.resources.get(name) ?? {forwards: [], needs: []}
    this.resources.set(name, {forwards: [...before, ...forwards], needs: [...needs, ...this.#needs(call)]})
  }

  #needs = ({named}: StarCall): readonly string[] => textsOf(named.get('resource_deps')).map(each => this.#idOf(each))

  #idOf(name: string): string {
    const wanted = name.replaceAll(/[^\w.-]/g, '-')
    const isTaken = [...this.#ids].some(([other, id]) => other !== name && id === wanted)
    const id = this.#ids.get(name) ?? (isTaken ? `${wanted}-${this.#ids.size}` : wanted)
    this.#ids.set(name, id)
    return id
  }

  #addApp(call: StarCall, folder: string, place: string): void {
    const {named, args} = call
    const id = this.#idOf(textValue(named.get('name') ?? args[0]))
    const [cmd, serve] = [named.get('cmd') ?? args[1], named.get('serve_cmd')]
    const isServing = named.has('serve_cmd') && serve !== '' && serve !== null
    const at = resolve(folder, textValue(named.get(isServing ? 'serve_dir' : 'dir')))
    const command = wordsOf(isServing ? serve : cmd)
    const isOther = this.apps.some(app => app.id === id)
    if (id === '' || isOther || command.length === 0) {
      const why = isOther ? 'it is above with another command' : 'its command is not written here'
      this.notes.push(`${place}: ${id === '' ? 'local_resource' : id} is left out: ${why}`)
      return
    }
    const notes: string[] = []
    if (!isServing) this.ending.push(id)
    const first = isServing ? wordsOf(cmd) : []
    if (first.length > 0)
      notes.push(`${place}: Tilt runs ${first.join(' ')} first: run it once, and after changes that need it`)
    if (isServing && isStarMap(named.get('env'))) notes.push(`${place}: env is that of its cmd`)
    const key = isServing ? 'serve_env' : 'env'
    const env = variables(named.get(key))
    const written = named.has(key) ? named.get(key) : null
    const names = isStarMap(written) ? [...written.map.keys()] : written === null ? [] : [key]
    const lost = names.filter(name => env?.[name] === undefined)
    if (lost.length > 0) notes.push(`${place}: ${lost.join(', ')}: no value is written here: write it into env`)
    const port = isServing ? portOf(named, command, at) : 0
    const needs = this.#needs(call)
    this.apps.push({
      id,
      folder: at,
      keys: given({
        appPort: port > 0 ? port : undefined,
        command,
        env,
        dependsOn: needs.length === 0 ? undefined : Object.fromEntries(needs.map(each => [each, 'ready'])),
        ready: isServing ? readyOf(named.get('readiness_probe')) : undefined,
        profiles: named.get('auto_init') === false ? ['manual'] : undefined
      }),
      notes
    })
  }
}

/** The port of an app, from its readiness probe, its command, its link, or the project in its folder; 0: none of them says. */
function portOf(named: ReadonlyMap<string, StarValue>, command: readonly string[], folder: string): number {
  const action = probeAction(named.get('readiness_probe'))
  const [link] = [named.get('links') ?? null].flat()
  const url = isCall(link) ? textValue(link.args[0]) : scalarOf(link)
  const keys = appsIn(folder)[0]?.keys ?? {}
  return (
    Number(action?.named.get('port') ?? action?.args[0] ?? 0) ||
    commandPort(command.join(' ')) ||
    Number(/localhost:(\d+)|127\.0\.0\.1:(\d+)/.exec(url)?.[1] ?? 0) ||
    Number(keys['port'] ?? keys['appPort'] ?? 0)
  )
}

function probeAction(probe: StarValue): StarCall | undefined {
  const action = isCall(probe) ? (probe.named.get('http_get') ?? probe.named.get('tcp_socket')) : undefined
  return isCall(action) ? action : undefined
}

function readyOf(probe: StarValue): Values | undefined {
  const get = probeAction(probe)
  return get?.call === 'http_get_action' ? {http: textValue(get.named.get('path')).replace(/^\/?/, '/')} : undefined
}

const inside = (port: string): string => port.split(':').at(-1) ?? ''

/** Services that are called at the ports to which Tilt forwards. */
const withForwards = (services: Readonly<Record<string, Values>>, {resources}: Tiltfile): Values =>
  Object.fromEntries(
    Object.entries(services).map(([id, service]) => {
      const ports = textsOf(service['ports'])
      const forwarded = (resources.get(id)?.forwards ?? []).flatMap(each => {
        const [, here = '', target = inside(ports[0] ?? here)] =
          /^(?:\d+\.\d+\.\d+\.\d+:|localhost:)?(\d+)(?::(\d+))?$/.exec(each) ?? []
        return here === '' ? [] : [`${here}:${target}`]
      })
      const others = ports.filter(port => !forwarded.some(each => inside(each) === inside(port)))
      return [id, forwarded.length === 0 ? service : {...service, ports: [...forwarded, ...others]}]
    })
  )

/** The app with what its resource needs: an app, and no group or what was left out. One that ends is waited for. */
function withNeeds(app: ImportedApp, {resources, ending}: Tiltfile, ids: ReadonlySet<string>): ImportedApp {
  const {dependsOn, ...keys} = app.keys
  const started = (resources.get(app.id)?.needs ?? []).map(id => [id, 'started'] as const)
  const all = Object.entries({...Object.fromEntries<unknown>(started), ...mapOf(dependsOn)})
  const known = all
    .filter(([id]) => ids.has(id))
    .map(([id, how]) => [id, ending.includes(id) ? 'completed' : how] as const)
  const gone = all.filter(([id]) => !ids.has(id)).map(([id]) => `resource_deps: ${id} is no app here`)
  const needs = known.length === 0 ? {} : {dependsOn: Object.fromEntries(known)}
  return {...app, keys: {...keys, ...needs}, notes: [...app.notes, ...gone]}
}

/** A line is for a shell; a list has the words. */
const wordsOf = (value: StarValue): readonly string[] => {
  if (typeof value === 'string') return commandOf(value.trim())
  return isStarList(value) && textsOf(value).length === value.length ? textsOf(value) : []
}

function variables(value: StarValue): Readonly<Record<string, string>> | undefined {
  if (!isStarMap(value)) return undefined
  const known = [...value.map].filter(([, each]) => typeof each === 'string' || typeof each === 'number')
  return known.length === 0 ? undefined : Object.fromEntries(known.map(([name, each]) => [name, scalarOf(each)]))
}
