// Writes a first template from the file of another tool, or from the projects of a folder.
import {dirname, join, relative, resolve} from 'node:path'
import {idleNote, idleProjects, importProjects} from './folder/folder.ts'
import {UserError} from '../../model/errors.ts'
import {freeFrom} from './compose/ports.ts'
import type {Imported, ImportedApp} from './imported.ts'
import type {NamedSource} from './several-sources.ts'
import {isFolder, readFolders} from './reading/files.ts'
import {textsOf} from './reading/yaml-file.ts'
import {calledAt} from './reading/listening.ts'
import {findSource, readImported, type FoundSource} from './find-source.ts'
import {runsNothing, type RunTool} from './reading/other-tool.ts'

/** Gives apps different ports, where programs can take another one, else a note. The first keeps its port. */
function separatePorts(apps: readonly ImportedApp[]): readonly ImportedApp[] {
  const wanted = new Set(apps.flatMap(portsOf))
  const owners = new Map<number, string>()
  // a number in the code of a program stays; the others can be chosen
  for (const {id, keys} of apps) {
    const port = 'port' in keys ? 0 : Number(keys['appPort'] ?? 0)
    const others = apps.filter(each => port > 0 && each.keys['port'] === port)
    if (others.length > 0 && others.every(({move}) => move !== undefined) && !owners.has(port)) owners.set(port, id)
  }
  return apps.map(app => {
    const port = Number(app.keys['port'] ?? 0)
    const owner = owners.get(port)
    const isTaken = owner !== undefined && owner !== app.id
    const moved = isTaken ? movedFrom(app, freeFrom(port + 1, wanted), owner) : noted(app, owners)
    for (const each of portsOf(moved)) {
      wanted.add(each)
      if (!owners.has(each)) owners.set(each, app.id)
    }
    return moved
  })
}

const portsOf = ({keys, published = []}: ImportedApp): readonly number[] =>
  [Number(keys['port'] ?? 0), Number(keys['appPort'] ?? 0), ...published.map(({port}) => port)].filter(port => port > 0)

/** Two apps cannot be called at one number. */
function movedFrom(app: ImportedApp, port: number, owner: string): ImportedApp {
  const {keys} = app
  const isOfCode = app.move === undefined && !('appPort' in keys)
  const moved = calledAt({...app, keys: isOfCode ? {fixedPort: keys['port'], ...keys} : keys}, port)
  const note = `port: ${String(keys['port'])} is that of ${owner}: this one is called at ${port}`
  return {...moved, notes: [...moved.notes, note]}
}

const only = (key: string, port: number, owner: string): string =>
  `${key}: ${port} is that of ${owner}, too, and only one can listen there`

function noted(app: ImportedApp, owners: ReadonlyMap<number, string>): ImportedApp {
  const notes = [...app.notes]
  const port = Number(app.keys['appPort'] ?? 0)
  const owner = owners.get(port)
  if (owner !== undefined && owner !== app.id)
    notes.push(`${only('appPort', port, owner)}: have the program listen on another port, and write that here`)
  for (const {port: number, text} of app.published ?? []) {
    const other = owners.get(number)
    if (other !== undefined)
      notes.push(`${only('ports', number, other)}: write another number in front of the colon of --publish ${text}`)
  }
  return {...app, notes}
}

/** The options of an import. */
export interface ImportRequest {
  readonly from?: string | undefined
  readonly cwd: string
  /** Whether the list at the top has more than ten lines. */
  readonly all?: boolean
  /** Runs the tool of a file that is a program: Tilt, Aspire. */
  readonly run?: RunTool
  /** Gets the number of folders that were read so far, at each of them. */
  readonly looked?: ((count: number) => void) | undefined
}

/** Reads paths into one template, and finds other files there that could be imported. Rejects with a `UserError`. */
export async function importFrom(
  typed: readonly string[],
  options: ImportRequest
): Promise<{readonly imported: Imported; readonly sources: readonly FoundSource[]}> {
  const {from, cwd} = options
  readFolders(options.looked)
  const named = typed.map(each => findSource(each, from, cwd))
  const twice = named.find(({path}, index) => named.findIndex(each => each.path === path) < index)
  if (twice !== undefined) throw new UserError(`${relative(cwd, twice.path) || '.'} is named twice`)
  const given = joinedCompose(named)
  const read: NamedSource[] = []
  for (const source of given) read.push(await readNamed(source, options))
  const isFolderAlone = typed.length === 1 && typed.every(each => isFolder(resolve(cwd, each)))
  const joined = isFolderAlone ? await programsNextTo(given, read, options) : undefined
  const sources = joined?.sources ?? given
  if (joined !== undefined) read.push(joined.programs)
  const [single] = read
  const imported =
    single !== undefined && read.length === 1
      ? single.imported
      : (await import('./several-sources.ts')).unitedSources(read)
  const folders = new Set(sources.flatMap(each => (/^(?:folder|aspire)$/.test(each.kind) ? [] : [rootOf(each)])))
  const more = await Promise.all(
    Array.from(folders, async folder => idleNote(folder, await idleProjects(folder, imported.apps), cwd))
  )
  const notes = [...imported.notes, ...more.flat()]
  const called = (await import('./called-ports.ts')).withCalledPorts(imported.apps, sources.map(rootOf))
  const watched = (await import('./folder/package-watch.ts')).withPackageWatch(called, sources.map(rootOf))
  const whole = {...imported, notes, apps: separatePorts(watched)}
  const {withMissing} = await import('./app-notes.ts')
  const {withSharedNotes} = await import('./shared-notes.ts')
  const missing = withMissing(whole, process.env)
  return {imported: withSharedNotes(missing, options.all), sources}
}

/** Reads a source, with its name for messages. */
async function readNamed(source: FoundSource, options: ImportRequest): Promise<NamedSource> {
  const [name, hasNoOrder] = [relative(options.cwd, source.path) || '.', /^(?:folder|procfile)$/.test(source.kind)]
  return {imported: await readSource(source, options), name, root: rootOf(source), hasNoOrder}
}

/**
 * Returns the programs that belong to a compose file of servers alone: those of the Procfile next to it, else the projects of the
 * folder. Undefined if the file has programs, or there are none.
 */
async function programsNextTo(
  [source]: readonly FoundSource[],
  [servers]: readonly NamedSource[],
  options: ImportRequest
): Promise<{readonly sources: readonly FoundSource[]; readonly programs: NamedSource} | undefined> {
  if (source?.kind !== 'compose' || servers === undefined) return undefined
  const {apps} = servers.imported
  if (apps.some(({keys, builtFrom}) => builtFrom !== undefined || !textsOf(keys['command']).includes('docker')))
    return undefined
  const root = rootOf(source)
  const procfile = source.others.find(name => name.startsWith('Procfile'))
  if (procfile !== undefined) {
    const found = findSource(join(source.folder, procfile), 'procfile', options.cwd)
    const programs = await readNamed(found, options)
    if (programs.imported.apps.some(({id}) => apps.some(server => server.id === id))) return undefined
    const others = source.others.filter(name => name !== procfile)
    return {sources: [{...source, others}, found], programs}
  }
  const projects = await idleProjects(root, apps)
  if (projects.length === 0) return undefined
  const name = relative(options.cwd, root) || '.'
  return {sources: [source], programs: {imported: importProjects(root, projects), name, root, hasNoOrder: true}}
}

/** The folder that is imported, or that of the file. */
const rootOf = ({kind, path, folder}: FoundSource): string =>
  kind === 'aspire' ? folder : isFolder(path) ? path : dirname(path)

/** Compose files lie over the first one of them, as with `docker compose -f a -f b`. */
function joinedCompose(sources: readonly FoundSource[]): readonly FoundSource[] {
  const [first, ...over] = sources.filter(({kind}) => kind === 'compose')
  if (first === undefined || over.length === 0) return sources
  const overrides = [...first.overrides, ...over.flatMap(({path, overrides: own}) => [path, ...own])]
  return sources.flatMap(each => (each === first ? {...first, overrides} : over.includes(each) ? [] : each))
}

async function readSource(
  {kind, path, overrides, folder}: FoundSource,
  {cwd, run = runsNothing}: ImportRequest
): Promise<Imported> {
  if (kind === 'folder') return (await import('./folder/folder.ts')).importFolder(path, relative(cwd, path) || '.', cwd)
  if (kind === 'kubernetes')
    return (await import('./kubernetes/skaffold.ts')).importManifests(path, relative(cwd, path) || '.', cwd)
  if (kind === 'aspire') return (await import('./aspire/aspire.ts')).importAppHost(path, folder, cwd, run)
  const [file, over] = [readImported(path, cwd), overrides.map(each => readImported(each, cwd))]
  if (kind === 'procfile') return (await import('./processes/procfile.ts')).importProcfile(file)
  if (kind === 'compose')
    return (await import('./compose/compose.ts')).importCompose({...file, start: folder}, over, cwd)
  if (kind === 'tilt') return (await import('./tilt/tilt.ts')).importTiltfile(file, run)
  if (kind === 'skaffold') return (await import('./kubernetes/skaffold.ts')).importSkaffold(file, cwd)
  return (await import('./processes/process-compose.ts')).importProcessCompose(file, over)
}
