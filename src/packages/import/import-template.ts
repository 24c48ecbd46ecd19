// Writes a first template from what another tool's file says, or from what a folder shows. Starts nothing.
import {relative} from 'node:path'
import type {Imported} from './imported.ts'
import {findSource, readImported, type FoundSource} from './find-source.ts'
import {separatePorts} from './same-ports.ts'

/** What a path says of a template, and other files there that could be imported. Rejects with a `UserError`. */
export async function importFrom(
  typed: string,
  from: string | undefined,
  cwd: string
): Promise<{readonly imported: Imported; readonly source: FoundSource}> {
  const source = findSource(typed, from, cwd)
  const imported = await read(source, cwd)
  return {imported: {...imported, apps: separatePorts(imported.apps)}, source}
}

async function read({kind, path}: FoundSource, cwd: string): Promise<Imported> {
  if (kind === 'folder') return (await import('./folder.ts')).importFolder(path, relative(cwd, path) || '.')
  const file = readImported(path, cwd)
  if (kind === 'procfile') return (await import('./procfile.ts')).importProcfile(file)
  if (kind === 'compose') return (await import('./compose.ts')).importCompose(file)
  return (await import('./process-compose.ts')).importProcessCompose(file)
}
