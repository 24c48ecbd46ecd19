import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import type {Environment} from '../../../model/environment.ts'
import {codeOf} from '../../../model/errors.ts'
import {look} from '../../../platform/process-table.ts'
import {cacheFolder} from '../../../platform/state-folder.ts'
import {changedIn, isDead, readManifest, removeAllBut, type WorkspaceManifest} from './manifest.ts'
import type {Reporter} from '../../../model/reporter.ts'

export interface LeftWorkspaces {
  readonly env: Environment
  readonly reporter: Reporter
}

/** Matches the marker of a run. */
const MARKER = /^[\da-f]{32}$/

/** Removes the workspaces of killed runs. Keeps and reports workspaces with changed files. Skips runs that may be alive or still have a process. */
export async function removeLeftWorkspaces({env, reporter}: LeftWorkspaces): Promise<void> {
  const home = cacheFolder(env)
  for (const marker of (await namesIn(home)).filter(name => MARKER.test(name))) {
    try {
      const folder = join(home, marker)
      // reads the manifest once, since another sweep may remove it meanwhile
      const manifest = readManifest(folder)
      if (manifest !== undefined && (await isOver(manifest, marker))) await tidy(folder, manifest, reporter)
    } catch (error) {
      // skips a folder of another user, or one in use: the next sweep tries again
      if (codeOf(error) === '') throw error
    }
  }
}

/** Resolves with whether a run is dead, and no process has its marker, which could run in a workspace. */
async function isOver(manifest: WorkspaceManifest, marker: string): Promise<boolean> {
  if (!(await isDead(manifest))) return false
  const {all, carries} = await look()
  return !all.some(({pid, isZombie}) => !isZombie && carries(pid, `PILLION_RUN=${marker}`))
}

async function tidy(
  folder: string,
  {workspaces}: WorkspaceManifest,
  reporter: LeftWorkspaces['reporter']
): Promise<void> {
  const kept = await changedIn(folder, workspaces)
  for (const name of kept)
    reporter.warn(
      'workspace-kept',
      `files were changed in ${join(folder, name)}, a workspace of a run that was killed: it is kept`
    )
  await removeAllBut(kept, folder, reporter)
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(codeOf(error))) return []
    throw error
  }
}
