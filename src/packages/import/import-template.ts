// Writes a first template from what another tool's file says, or from what a folder shows. Starts nothing.
import {dirname, relative} from 'node:path'
import {notStarted} from './folder.ts'
import type {Imported, ImportedApp} from './imported.ts'
import {findSource, readImported, type FoundSource} from './find-source.ts'

/**
 * Apps of which no two listen on one port, as far as their programs can be given another one. Where they cannot, a note names
 * the other app and what to change. The first one keeps the port.
 */
function separatePorts(apps: readonly ImportedApp[]): readonly ImportedApp[] {
  const wanted = new Set(apps.flatMap(portsOf))
  const owners = new Map<number, string>()
  return apps.map(app => {
    const port = Number(app.keys['port'] ?? app.keys['appPort'] ?? 0)
    const isTaken = owners.has(port)
    const moved =
      isTaken && app.move !== undefined
        ? movedTo(app, next(port, wanted))
        : isTaken && 'port' in app.keys
          ? calledAt(app, next(port, wanted), owners.get(port) ?? '')
          : noted(app, owners)
    for (const each of portsOf(moved)) {
      wanted.add(each)
      if (!owners.has(each)) owners.set(each, app.id)
    }
    return moved
  })
}

const portsOf = ({keys, published = []}: ImportedApp): readonly number[] =>
  [Number(keys['port'] ?? 0), Number(keys['appPort'] ?? 0), ...published.map(({port}) => port)].filter(port => port > 0)

function next(port: number, wanted: ReadonlySet<number>): number {
  let free = port + 1
  while (wanted.has(free)) free += 1
  return free
}

const movedTo = (app: ImportedApp, port: number): ImportedApp => ({
  ...app,
  keys: {...app.keys, ['port' in app.keys ? 'port' : 'appPort']: port, ...app.move?.(port)}
})

/** Two apps cannot be called at one number. */
const calledAt = (app: ImportedApp, port: number, owner: string): ImportedApp => ({
  ...app,
  keys: {...app.keys, port, fixedPort: app.keys['fixedPort'] ?? app.keys['port']},
  notes: [...app.notes, `port: ${String(app.keys['port'])} is that of ${owner}: this one is called at ${port}`]
})

const only = (key: string, port: number, owner: string): string =>
  `${key}: ${port} is that of ${owner}, too, and only one can listen there`

function noted(app: ImportedApp, owners: ReadonlyMap<number, string>): ImportedApp {
  const notes = [...app.notes]
  const port = Number(app.keys['appPort'] ?? 0)
  const owner = owners.get(port)
  if (owner !== undefined)
    notes.push(`${only('appPort', port, owner)}: have the program listen on another port, and write that here`)
  for (const {port: number, text} of app.published ?? []) {
    const other = owners.get(number)
    if (other !== undefined)
      notes.push(`${only('ports', number, other)}: write another number in front of the colon of --publish ${text}`)
  }
  return {...app, notes}
}

/** What a path says of a template, and other files there that could be imported. Rejects with a `UserError`. */
export async function importFrom(
  typed: string,
  from: string | undefined,
  cwd: string
): Promise<{readonly imported: Imported; readonly source: FoundSource}> {
  const source = findSource(typed, from, cwd)
  const imported = await read(source, cwd)
  const more = source.kind === 'folder' ? undefined : await notStarted(dirname(source.path), imported.apps)
  const notes = more === undefined ? imported.notes : [...imported.notes, more]
  return {imported: {...imported, notes, apps: separatePorts(imported.apps)}, source}
}

async function read({kind, path, override}: FoundSource, cwd: string): Promise<Imported> {
  if (kind === 'folder') return (await import('./folder.ts')).importFolder(path, relative(cwd, path) || '.', cwd)
  const file = readImported(path, cwd)
  if (kind === 'procfile') return (await import('./procfile.ts')).importProcfile(file)
  if (kind === 'compose') {
    const overrides = override === undefined ? [] : [readImported(override, cwd)]
    return (await import('./compose.ts')).importCompose(file, overrides, cwd)
  }
  if (kind === 'tilt') return (await import('./tilt.ts')).importTiltfile(file, cwd)
  if (kind === 'skaffold') return (await import('./skaffold.ts')).importSkaffold(file, cwd)
  if (kind === 'kubernetes') return (await import('./kubernetes-project.ts')).importManifest(file, cwd)
  return (await import('./process-compose.ts')).importProcessCompose(file)
}
