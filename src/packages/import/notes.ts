// Notes of a template, also on variables and programs that are missing: one line at the top for each cause that several apps share; an app has its own decisions alone.
import {existsSync} from 'node:fs'
import {dirname, join, relative, resolve} from 'node:path'
import {scriptOf} from './folder/folder.ts'
import {buildNote} from './folder/languages/node.ts'
import type {Imported, ImportedApp} from './imported.ts'
import {sourcesIn, textAt} from './reading/files.ts'
import {NOT_HELD, UNKNOWN_PORT, withPortKeys} from './reading/listening.ts'
import {variablesWithoutValue} from './reading/variables.ts'
import {given, mapOf, textsOf} from './reading/yaml-file.ts'

/** Causes whose notes differ from app to app, and one line for all. NAMES becomes all that the notes name. */
const CAUSES: readonly (readonly [pattern: RegExp, line: string])[] = [
  [
    new RegExp(`^${NOT_HELD}`),
    'calls at an appPort are not held: have the code read PORT, and write port in place of appPort'
  ],
  [
    new RegExp(`^${UNKNOWN_PORT.slice(0, 40)}`),
    'the files do not tell where they listen: write its number as port to carry the calls of one'
  ],
  [
    /^appPort: (\w+) says where it listens: write its number$/,
    'NAMES say where they listen: write the numbers as port'
  ],
  [
    /^(.*): no value is known: set it in env, or where pillion is started$/,
    'NAMES have no value: set them in env, or where pillion is started'
  ],
  [/^(?!build:)([\w.-]+(?:: [\w.-]+(?=: ))?): .* is not carried over$/, 'NAMES: not carried over']
]

/** More lines at the top are not read. */
const MAX_LINES = 10
/** More apps of one line are counted. */
const MAX_IDS = 6

/** A template with one line for each cause that several of its apps share. Without `all` the list has ten lines. */
export function withSharedNotes(imported: Imported, all = false): Imported {
  const owners = new Map<string, string[]>()
  for (const {id, notes} of imported.apps)
    for (const key of new Set(notes.map(keyOf))) owners.set(key, [...(owners.get(key) ?? []), id])
  const isShared = (note: string): boolean => (owners.get(keyOf(note))?.length ?? 0) > 1
  const shared = [...owners].filter(([, ids]) => ids.length > 1)
  const lines = shared.map(([key, owning]) => {
    const more = owning.length > MAX_IDS ? ` and ${owning.length - MAX_IDS} more` : ''
    const ids = owning.slice(0, MAX_IDS).join(', ') + more
    const [pattern, line] = CAUSES.find(([each]) => each.source === key) ?? [/$/, key]
    return `${ids}: ${line.replace('NAMES', () => namesIn(imported.apps, pattern))}`
  })
  const apps = imported.apps.map(app => ({...app, notes: app.notes.filter(note => !isShared(note))}))
  const notes = [...imported.notes, ...lines]
  if (all || notes.length <= MAX_LINES) return {...imported, apps, notes}
  const rest = `and ${notes.length - MAX_LINES + 1} more: pillion import --all writes them`
  return {...imported, apps, notes: [...notes.slice(0, MAX_LINES - 1), rest]}
}

/** The cause of a note, or its text. */
const keyOf = (note: string): string => CAUSES.find(([pattern]) => pattern.test(note))?.[0].source ?? note

const namesIn = (apps: readonly ImportedApp[], pattern: RegExp): string => {
  const found = apps.flatMap(({notes}) => notes.flatMap(note => pattern.exec(note)?.[1]?.split(/, | and | or /) ?? []))
  return [...new Set(found)].join(', ')
}

/** Returns the apps with notes on variables of their commands that have no value, and on programs that are not there. */
export const withMissing = (imported: Imported, env: Readonly<Record<string, string | undefined>>): Imported => ({
  ...imported,
  apps: imported.apps.map(app => {
    const own = app.published === undefined ? [missingNote(app), ...envFileNotes(app)].filter(Boolean) : []
    const kept = withoutProduction(app)
    const names = variablesWithoutValue(withPortKeys(app), imported, env).map(({name}) => name)
    const unset = `${names.join(', ')}: no value is known: set it in env, or where pillion is started`
    return {...kept, notes: [...kept.notes, ...own, ...(names.length === 0 ? [] : [unset])]}
  })
})

/** Servers for development that need a build of packages for development, too. */
const OF_DEVELOPMENT = /\b(?:next|nuxt|nuxi|remix|react-router|astro) dev\b|\bvite\b(?! build| preview)/

/** An app without the variable for production of its image, if a server for development runs in its place. */
function withoutProduction(app: ImportedApp): ImportedApp {
  const {NODE_ENV, ...env} = mapOf(app.keys['env'])
  const command = textsOf(app.keys['command'])
  const line = `${command.join(' ')} ${scriptOf(command, app.folder)}`
  if (NODE_ENV !== 'production' || !OF_DEVELOPMENT.test(line)) return app
  const note = 'env: NODE_ENV: production is not carried over: its server for development sets its own'
  return {...app, keys: given({...app.keys, env}), notes: [...app.notes, note]}
}

/** Notes a program that has to be built first, that only Heroku has, or that ends Pillion; returns an empty string for none. */
function missingNote({keys, folder}: ImportedApp): string {
  const command = textsOf(keys['command'])
  const built = buildNote(command, folder)
  if (built !== '') return built
  const line = command[0] === 'sh' || command[0] === 'bash' ? (command[2] ?? '') : command.join(' ')
  const [program = ''] = line.trim().split(/\s/)
  if (program.startsWith('heroku-php-'))
    return `${program} is a program of Heroku: write php -S localhost:$PORT -t ${command[1] ?? '.'} in its place`
  if (/\bfuser -k\b|\bkill-port\b/.test(line))
    return 'its command ends what listens at its port, Pillion here: remove that'
  const [, jar = ''] = /\bjava\b.* -jar (\S+\.jar)\b/.exec(line) ?? []
  const started = jar === '' && /^[\w.-]+\/[\w./-]+$/.test(program) ? program : jar
  if (started === '' || /[*$]/.test(started) || existsSync(resolve(folder, started))) return ''
  return `it starts ${started}, which is not there: build it first`
}

/** An env file above the folder of a program, as its code names it. */
const ENV_ABOVE = /["'`]((?:\.\.\/)+(?:[\w-]+\/)*\.env)["'`]/

/** Notes on env files that the code names, and that are there only for a container with another folder. */
function envFileNotes({folder, keys}: ImportedApp): readonly string[] {
  if ('envFile' in keys) return []
  return sourcesIn(folder).flatMap(path => {
    const name = ENV_ABOVE.exec(textAt(path))?.[1]
    if (name === undefined || [folder, dirname(path)].some(each => existsSync(resolve(each, name)))) return []
    const found = ['../.env', '../../.env', '../../../.env'].find(each => existsSync(join(folder, each)))
    const way = found === undefined ? '' : `: ${found}`
    return [
      `${relative(folder, path)} reads ${name}, which is not there: write envFile${way}, and hosts as they are here`
    ]
  })
}
