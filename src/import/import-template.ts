// Writes a first template from what another tool's file says, or from what a folder shows. Starts nothing.
import {relative} from 'node:path'
import type {Imported} from './imported.ts'
import {findSource, readImported, type FoundSource} from './find-source.ts'

/** What a path says of a template, and other files there that could be imported. Rejects with a `UserError`. */
export async function importFrom(
  typed: string,
  from: string | undefined,
  cwd: string
): Promise<{readonly imported: Imported; readonly source: FoundSource}> {
  const source = findSource(typed, from, cwd)
  const {kind, path} = source
  if (kind === 'folder')
    return {imported: (await import('./folder.ts')).importFolder(path, relative(cwd, path) || '.'), source}
  const file = readImported(path, cwd)
  if (kind === 'procfile') return {imported: (await import('./procfile.ts')).importProcfile(file), source}
  if (kind === 'compose') return {imported: (await import('./compose.ts')).importCompose(file), source}
  return {imported: (await import('./process-compose.ts')).importProcessCompose(file), source}
}
