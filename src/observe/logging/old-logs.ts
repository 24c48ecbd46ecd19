import {readdir, rm, stat} from 'node:fs/promises'
import {join, basename} from 'node:path'
import {logFileStem, stemOf, logStart} from './log-file.ts'
import {formerPath, logPathOf, openKeptLog} from './log-parts.ts'
import {codeOf} from '../../model/errors.ts'
import {endOfLog, type LogText, readPart, startOfLastIn} from './log-reader.ts'
import {idInName, type Plan} from '../../model/plan.ts'

/** Sorts logs by their last write: names contain local time, which repeats after a change of the time zone. */
async function byLastWrite(paths: readonly string[]): Promise<readonly string[]> {
  const ages = [...new Set(paths)].map(async path => {
    const {mtimeMs} = await stat(path).catch(async () => stat(formerPath(path)).catch(() => ({mtimeMs: 0})))
    return {path, mtimeMs}
  })
  const aged = await Promise.all(ages)
  return aged.toSorted((a, b) => a.mtimeMs - b.mtimeMs || (a.path < b.path ? -1 : 1)).map(({path}) => path)
}

/** The log files of an app: folder, name, and the number of files to keep per kind. */
interface KeptLogs {
  readonly folder: string
  readonly name: string
  /** 0: all. */
  readonly keep: number
}

/** Returns the log files of apps and their sidecars in one folder that are too old to keep. */
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
 * Removes old log files except those in use. Calls `inUse` only if there are old files; undefined: unknown, so none is removed. Reads each
 * folder once for all its apps, one folder after the other: hundreds of names for hundreds of apps would fill memory.
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

interface KeptWanted {
  /** The id of an app, or the name of an instance or a version, as its lines have it. */
  readonly id: string
  /** Number of lines from the end; -1: all. */
  readonly tail: number
  /** ms since 1970; 0: no limit. */
  readonly since: number
}

export interface KeptLog {
  /** latin1 */
  readonly texts: AsyncIterable<string>
  /** Some lines may be older than `since`: a file contains no times of single lines. */
  readonly hasOlder: boolean
}

/** Returns the latest log file of an app that runs of a template have left. */
export async function keptLog(plan: Plan, {id, tail, since}: KeptWanted): Promise<KeptLog | undefined> {
  const ids = [id, idInName(id)]
  const folders = new Set(plan.apps.filter(app => ids.includes(app.id)).map(({logs}) => logs.folder))
  const stem = logFileStem(id, 'app')
  const paths = (await Promise.all([...folders].map(logsIn))).flat().filter(path => stemOf(basename(path)) === stem)
  const newest = (await byLastWrite(paths)).at(-1)
  if (newest === undefined) return undefined
  const open = async (): Promise<LogText> => openKeptLog(newest)
  const {size, mtimeMs} = await endOfLog(open)
  const isOld = mtimeMs < since
  const from = isOld ? size : tail < 0 ? 0 : await startOfLastIn(open, tail, size)
  return {texts: readPart(open, from, size), hasOlder: !isOld && logStart(newest) < since}
}

async function logsIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).map(name => join(folder, logPathOf(name)))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
