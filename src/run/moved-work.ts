import {existsSync, readFileSync, renameSync, statSync, writeFileSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {livingRuns} from '../control/living-runs.ts'
import {orElse} from '../model/or-else.ts'
import type {Plan} from '../model/plan.ts'
import {makeFolder} from '../platform/make-folder.ts'
import {keptPath} from '../model/template-name.ts'
import {linksResolved} from '../platform/paths.ts'
import {notesFolder, type WorkPathOptions} from '../work/work-path.ts'

/** A file of workflows, and the folder of its template. */
interface Owner {
  readonly folder: string
  readonly path: string
}

/** The endings of SQLite's files. Without the first two the last one has an older state. */
const PARTS = ['-wal', '-shm', '']

/** Notes the owner of a file, so that it is found after a move of the template's folder. */
export function noteOwner(options: WorkPathOptions, path: string): void {
  const note = noteOf(options)
  if (note === undefined) return
  try {
    makeFolder(dirname(note), 0o700)
    writeFileSync(note, JSON.stringify({folder: folderOf(options.plan), path} satisfies Owner), {mode: 0o600})
  } catch {
    // without a note, a moved folder does not find its work
  }
}

/** The work of a template from before its folder was moved. */
export interface MovedWork {
  readonly folder: string
  /** Renames the old file for its new place. Returns false if a file exists there. */
  readonly bring: (path: string) => boolean
}

/** Finds the work of a moved folder. The inode identifies the folder, so a copy does not count. */
export function movedWork(options: WorkPathOptions): MovedWork | undefined {
  const note = noteOf(options)
  const owner = note === undefined ? undefined : ownerIn(note)
  if (owner === undefined || owner.folder === folderOf(options.plan) || existsSync(owner.folder)) return undefined
  const isInUse = livingRuns(options.env).some(({templateFile}) => dirname(templateFile) === owner.folder)
  if (isInUse || !existsSync(owner.path)) return undefined
  const bring = (path: string): boolean => {
    if (existsSync(path)) return false
    for (const part of PARTS) if (existsSync(owner.path + part)) renameSync(owner.path + part, path + part)
    noteOwner(options, path)
    return true
  }
  return {folder: owner.folder, bring}
}

const folderOf = ({file}: Plan): string => dirname(linksResolved(file))

/** The path of the note; undefined for a single app, and if its folder cannot be read. */
function noteOf({env, plan}: WorkPathOptions): string | undefined {
  const {file, name, copy = ''} = plan
  if (file === '') return undefined
  const stats = orElse(() => statSync(folderOf(plan)), undefined)
  if (stats === undefined) return undefined
  const words = [stats.dev, stats.ino, Math.floor(stats.birthtimeMs), basename(keptPath(file)), name, copy].join('-')
  return join(notesFolder(env), words.replaceAll(/[^\w.-]/g, '_').slice(0, 200))
}

/** Reads the owner in a note, if the note is complete. */
const ownerIn = (note: string): Owner | undefined =>
  orElse(() => JSON.parse(readFileSync(note, 'utf8')) as Owner, undefined)
