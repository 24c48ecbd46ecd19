// Writes a first template from the file of another tool, or from the projects of a folder.
import {dirname, join, relative, resolve} from 'node:path'
import {idleNote, isPublished} from './folder/folder.ts'
import {mavenNote} from './folder/languages/java.ts'
import {UserError} from '../../model/errors.ts'
import type {Imported} from './imported.ts'
import {withNumbers, withOwnPorts} from './ports.ts'
import type {NamedSource} from './several-sources.ts'
import {isFolder, readFolders} from './reading/files.ts'
import {withPortKeys} from './reading/listening.ts'
import {findSource, readImported, type FoundSource} from './find-source.ts'
import {runsNothing, type RunTool} from './reading/other-tool.ts'

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
  const all = joinedCompose(named)
  const given = all.map(each => (each.kind === 'folder' && all.length > 1 ? {...each, overrides: [each.path]} : each))
  const read: NamedSource[] = []
  for (const source of given) read.push(await readNamed(source, options))
  const isFolderAlone = typed.length === 1 && typed.every(each => isFolder(resolve(cwd, each)))
  const [[first], [servers]] = [given, read]
  const joined = isFolderAlone && first && servers && (await programsNextTo(first, servers, options))
  const sources = joined ? joined.sources : given
  if (joined) read.push(joined.programs)
  const imported =
    servers !== undefined && read.length === 1
      ? servers.imported
      : (await import('./several-sources.ts')).unitedSources(read)
  const folders = new Set(sources.flatMap(each => (/^(?:folder|aspire)$/.test(each.kind) ? [] : [rootOf(each)])))
  const more = await Promise.all(Array.from(folders, async folder => idleNote(folder, imported.apps, cwd)))
  const roots = sources.map(rootOf)
  const called = (await import('./called-ports.ts')).withCalledPorts(imported.apps, roots)
  const {notesOnSamples, withPackageWatch} = await import('./folder/package-watch.ts')
  const samples = notesOnSamples(imported.apps, roots, cwd)
  const notes = [...samples, ...imported.notes, ...more.flat(), ...mavenNote(imported.apps)]
  const watched = withPackageWatch(called, roots)
  const {withMissing, withSharedNotes} = await import('./notes.ts')
  const apps = withOwnPorts(withMissing({...imported, apps: watched}, process.env).apps)
  const whole = withNumbers({...imported, notes, apps: apps.map(withPortKeys)}, apps)
  return {imported: withSharedNotes(whole, options.all), sources}
}

async function readNamed(source: FoundSource, options: ImportRequest): Promise<NamedSource> {
  const [name, hasNoOrder] = [relative(options.cwd, source.path) || '.', /^(?:folder|procfile)$/.test(source.kind)]
  return {imported: await readSource(source, options), name, root: rootOf(source), hasNoOrder}
}

/** The Procfile next to a compose file of servers alone, else its folder; undefined: that has no programs, or their published images are there. */
async function programsNextTo(
  source: FoundSource,
  {imported: {apps}}: NamedSource,
  options: ImportRequest
): Promise<{readonly sources: readonly FoundSource[]; readonly programs: NamedSource} | undefined> {
  const isOfServers = apps.every(({published, builtFrom}) => builtFrom === undefined && published !== undefined)
  if (source.kind !== 'compose' || !isOfServers) return undefined
  const [root, name = ''] = [source.folder, source.others.find(each => each.startsWith('Procfile'))]
  const next = findSource(join(root, name), name === '' ? 'folder' : 'procfile', options.cwd)
  const found = {...next, others: [], overrides: [source.path]}
  const programs = await readNamed(found, options).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error
  })
  if (programs === undefined) return undefined
  if (isPublished(root, programs.imported.apps, apps)) return undefined
  return {sources: [{...source, others: source.others.filter(each => each !== name)}, found], programs}
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
  if (kind === 'folder')
    return (await import('./folder/folder.ts')).importFolder(
      path,
      relative(cwd, path) || '.',
      cwd,
      overrides.length > 0
    )
  if (kind === 'kubernetes')
    return (await import('./kubernetes/skaffold.ts')).importManifests(path, relative(cwd, path) || '.', cwd)
  if (kind === 'aspire') return (await import('./aspire/aspire.ts')).importAppHost(path, folder, cwd, run)
  const file = readImported(path, cwd)
  if (kind === 'procfile') return (await import('./processes/procfile.ts')).importProcfile(file)
  const over = overrides.map(each => readImported(each, cwd))
  if (kind === 'compose')
    return (await import('./compose/compose.ts')).importCompose({...file, start: folder}, over, cwd)
  if (kind === 'tilt') return (await import('./tilt/tilt.ts')).importTiltfile(file, run)
  if (kind === 'skaffold') return (await import('./kubernetes/skaffold.ts')).importSkaffold(file, cwd)
  return (await import('./processes/process-compose.ts')).importProcessCompose(file, over)
}
