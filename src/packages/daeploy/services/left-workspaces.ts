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

/** The marker of a run. */
const MARKER = /^[\da-f]{32}$/

/** Removes the workspaces of killed runs. Reports and keeps those in which files were changed. Skips runs that may be alive or still have a process. */
export async function removeLeftWorkspaces({env, reporter}: LeftWorkspaces): Promise<void> {
  const home = cacheFolder(env)
  for (const marker of (await namesIn(home)).filter(name => MARKER.test(name))) {
    try {
      const folder = join(home, marker)
      // read once: another sweep may remove it before this one has the kept paths
      const manifest = readManifest(folder)
      if (manifest !== undefined && (await isOver(manifest, marker))) await tidy(folder, manifest, reporter)
    } catch (error) {
      // a folder of another user, or in use: the next sweep tries again
      if (codeOf(error) === '') throw error
    }
  }
}

/** Whether a run is dead, and no process has its marker: that may run in a workspace. */
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
