import {readdir, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {codeOf} from '../../model/errors.ts'
import {look} from '../../platform/process-table.ts'
import {workspacesFolder, changedIn, isDead, MANIFEST, readManifest} from './manifest.ts'
import type {Reporter} from '../../model/reporter.ts'

export interface LeftWorkspaces {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly reporter: Reporter
}

/** The mark of a run. */
const MARKER = /^[\da-f]{32}$/

/**
 * Removes the working copies of runs that were killed, but those in which files were changed: these are named, once, and
 * left. Runs that live, of which anything is uncertain, or of which a process still runs, are left alone. Costs one look at a
 * folder when there is none.
 */
export async function sweepWorkspaces({env, reporter}: LeftWorkspaces): Promise<void> {
  const home = workspacesFolder(env)
  for (const marker of (await namesIn(home)).filter(name => MARKER.test(name))) {
    try {
      if (await isOver(join(home, marker), marker)) await tidy(join(home, marker), reporter)
    } catch (error) {
      // another user's, or somebody is at it: it is left to the next one
      if (codeOf(error) === '') throw error
    }
  }
}

async function isOver(folder: string, marker: string): Promise<boolean> {
  const manifest = readManifest(folder)
  return manifest !== undefined && (await isDead(manifest)) && !(await isCarried(`PILLION_RUN=${marker}`))
}

async function tidy(folder: string, reporter: LeftWorkspaces['reporter']): Promise<void> {
  const copies = [...(readManifest(folder)?.copies ?? [])]
  const kept = await changedIn(folder, copies)
  for (const name of kept)
    reporter.warn(
      'workspace-kept',
      `files were changed in ${join(folder, name)}, which a run that was killed had left behind: it is kept`
    )
  for (const name of await namesIn(folder))
    if (name !== MANIFEST && !kept.includes(name)) await rm(join(folder, name), {recursive: true, force: true})
  await rm(kept.length === 0 ? folder : join(folder, MANIFEST), {recursive: true, force: true})
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(codeOf(error))) return []
    throw error
  }
}

/** Whether a process carries a mark: it may run in a copy. */
async function isCarried(marker: string): Promise<boolean> {
  const {all, carries} = await look()
  return all.some(({pid, isZombie}) => !isZombie && carries(pid, marker))
}
