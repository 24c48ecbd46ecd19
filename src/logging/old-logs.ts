import {readdir, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {isLogOf} from './log-file.ts'

/** The log files of an app: where they are, what they call it, and how many of each kind are to stay. */
export interface KeptLogs {
  readonly folder: string
  readonly name: string
  /** 0: all. */
  readonly keep: number
}

/** The log files of an app and its sidecar that are older than those that stay; names sort by their time. */
export async function oldLogs({folder, name, keep}: KeptLogs): Promise<readonly string[]> {
  if (keep === 0) return []
  const files = await readdir(folder).catch(() => []) // there is no folder, or none of ours
  return (['app', 'daprd'] as const).flatMap(kind =>
    files
      .filter(file => isLogOf(file, name, kind))
      .toSorted()
      .slice(0, -keep)
      .map(file => join(folder, file))
  )
}

/** Removes old log files, but for those that are still written: `inUse` is asked only where there are any; undefined: not known. */
export async function removeOldLogs(
  apps: readonly KeptLogs[],
  inUse: () => Promise<ReadonlySet<string> | undefined>
): Promise<void> {
  const old = (await Promise.all(apps.map(oldLogs))).flat()
  const used = old.length === 0 ? undefined : await inUse()
  if (used === undefined) return
  for (const path of old) if (!used.has(path)) await rm(path, {force: true}).catch(() => undefined) // not ours to remove
}
