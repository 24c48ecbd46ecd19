import {readdir, rm, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {logFileStem, stemOf} from './log-file.ts'
import {formerPath, logPathOf} from './log-parts.ts'

/** Paths of logs in the order in which they were last written: names have local time, which comes again in another time zone. */
export async function byLastWrite(paths: readonly string[]): Promise<readonly string[]> {
  const ages = [...new Set(paths)].map(async path => {
    const {mtimeMs} = await stat(path).catch(async () => stat(formerPath(path)).catch(() => ({mtimeMs: 0})))
    return {path, mtimeMs}
  })
  const aged = await Promise.all(ages)
  return aged.toSorted((a, b) => a.mtimeMs - b.mtimeMs || (a.path < b.path ? -1 : 1)).map(({path}) => path)
}

/** The log files of an app: their folder, the app's name in them, and how many of each kind are kept. */
export interface KeptLogs {
  readonly folder: string
  readonly name: string
  /** 0: all. */
  readonly keep: number
}

/** Log files of apps and their sidecars in one folder that are too old to keep. */
async function oldLogs(folder: string, apps: readonly KeptLogs[]): Promise<readonly string[]> {
  const files = await readdir(folder).catch((): string[] => []) // no folder, or not readable
  const byStem = Map.groupBy(files.map(logPathOf), stemOf)
  const old: string[] = []
  for (const {name, keep} of apps)
    for (const kind of ['app', 'daprd'] as const) {
      const paths = (byStem.get(logFileStem(name, kind)) ?? []).map(file => join(folder, file))
      old.push(...(await byLastWrite(paths)).slice(0, -keep))
    }
  return old
}

/**
 * Removes old log files except those still in use. `inUse` is called only if there are old files; undefined means unknown.
 * A folder is read once for all its apps, and one after the other: hundreds of names times hundreds of apps fill memory.
 */
export async function removeOldLogs(
  apps: readonly KeptLogs[],
  inUse: () => Promise<ReadonlySet<string> | undefined>
): Promise<void> {
  const limited = apps.filter(({keep}) => keep > 0)
  const old: string[] = []
  for (const [folder, members] of Map.groupBy(limited, app => app.folder)) old.push(...(await oldLogs(folder, members)))
  const used = old.length === 0 ? undefined : await inUse()
  if (used === undefined) return
  for (const path of old.filter(each => !used.has(each)))
    for (const each of [formerPath(path), path]) await rm(each, {force: true}).catch(() => undefined) // no permission: skip
}
