// Notes of a template: one line at the top for each cause that several apps share; an app has its own decisions alone.
import type {Imported, ImportedApp} from './imported.ts'
import {NOT_HELD, UNKNOWN_PORT} from './reading/listening.ts'

/** A cause whose notes differ from app to app, and one line for all. `names`: what they name, each once. */
interface Cause {
  readonly pattern: RegExp
  readonly line: (ids: string, names: readonly string[]) => string
}

const APPS: readonly Cause[] = [
  {
    pattern: new RegExp(`^${NOT_HELD}`),
    line: ids => `${ids}: calls at an appPort are not held: have the code read PORT, and write port in place of appPort`
  },
  {
    pattern: new RegExp(`^${UNKNOWN_PORT.slice(0, 40)}`),
    line: ids => `${ids}: the files do not tell where they listen: write its number as port to carry the calls of one`
  },
  {
    pattern: /^appPort: (\w+) says where it listens: write its number$/,
    line: (ids, names) => `${ids}: ${names.join(', ')} say where they listen: write the numbers as port`
  },
  {
    pattern: /^command: (.*): no value is known: set it in env, or where pillion is started$/,
    line: (ids, names) => `${ids}: ${names.join(', ')} have no value: set them in env, or where pillion is started`
  }
]

const FOLDERS = /^(.+?): left out, as (.*)$/

/** A template with one line for each cause that several of its apps, or of the folders that it leaves out, share. */
export function withSharedNotes(imported: Imported): Imported {
  const owners = new Map<string, string[]>()
  for (const {id, notes} of imported.apps)
    for (const key of new Set(notes.map(keyOf))) owners.set(key, [...(owners.get(key) ?? []), id])
  const isShared = (note: string): boolean => (owners.get(keyOf(note))?.length ?? 0) > 1
  const shared = [...owners].filter(([, ids]) => ids.length > 1)
  const lines = shared.map(([key, ids]) => {
    const cause = APPS.find(({pattern}) => pattern.source === key)
    if (cause === undefined) return `${ids.join(', ')}: ${key}`
    return cause.line(ids.join(', '), namesIn(imported.apps, cause.pattern))
  })
  const apps = imported.apps.map(app => ({...app, notes: app.notes.filter(note => !isShared(note))}))
  return {...imported, apps, notes: [...withoutRepeats(imported.notes), ...lines]}
}

/** The cause of a note, or its text. */
const keyOf = (note: string): string => APPS.find(({pattern}) => pattern.test(note))?.pattern.source ?? note

const namesIn = (apps: readonly ImportedApp[], pattern: RegExp): readonly string[] => [
  ...new Set(apps.flatMap(({notes}) => notes.flatMap(note => pattern.exec(note)?.[1]?.split(/, | and | or /) ?? [])))
]

/** Puts folders that are left out for one reason into one line. */
function withoutRepeats(notes: readonly string[]): readonly string[] {
  const folders = new Map<string, string[]>()
  for (const note of notes) {
    const [, folder = '', reason = note] = FOLDERS.exec(note) ?? []
    folders.set(reason, [...(folders.get(reason) ?? []), ...(folder === '' ? [] : [folder])])
  }
  return Array.from(folders, ([reason, all]) =>
    all.length === 0 ? reason : `${all.join(', ')}: left out, as ${reason}`
  )
}
