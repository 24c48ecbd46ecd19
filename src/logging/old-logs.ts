import {readdir, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {isLogOf} from './log-file.ts'

/** The log files of an app: their folder, the app's name in them, and how many of each kind are kept. */
export interface KeptLogs {
  readonly folder: string
  readonly name: string
  /** 0: all. */
  readonly keep: number
}

/** The log files of an app and its sidecar that are too old to keep. Names sort by time. */
export async function oldLogs({folder, name, keep}: KeptLogs): Promise<readonly string[]> {
  if (keep === 0) return []
  const files = await readdir(folder).catch(() => []) // no folder, or not readable
  return (['app', 'daprd'] as const).flatMap(kind =>
    files
      .filter(file => isLogOf(file, name, kind))
      .toSorted()
      .slice(0, -keep)
      .map(file => join(folder, file))
  )
}

/** Removes old log files except those still in use. `inUse` is called only if there are old files; undefined means unknown. */
export async function removeOldLogs(
  apps: readonly KeptLogs[],
  inUse: () => Promise<ReadonlySet<string> | undefined>
): Promise<void> {
  const old = (await Promise.all(apps.map(oldLogs))).flat()
  const used = old.length === 0 ? undefined : await inUse()
  if (used === undefined) return
  for (const path of old) if (!used.has(path)) await rm(path, {force: true}).catch(() => undefined) // no permission: skip
}
