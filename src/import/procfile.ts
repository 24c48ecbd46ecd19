import {existsSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {unreadable, type Imported, type ImportedApp, type ImportedFile} from './imported.ts'
import {commandOf, portOf} from './shell-words.ts'

const LINE = /^([A-Za-z0-9_.-]+):\s*(\S.*)$/
/** Foreman counts ports from here, a hundred for each line. */
const FIRST_PORT = 5000
const PORT_STEP = 100

/** A Procfile as foreman, Heroku, overmind and honcho read it. Throws a `UserError` if it names no process. */
export function importProcfile(file: ImportedFile): Imported {
  const folder = dirname(file.path)
  const notes: string[] = []
  const apps: ImportedApp[] = []
  for (const [index, line] of file.text.split(/\r?\n/).entries()) {
    const text = line.trim()
    if (text === '' || text.startsWith('#')) continue
    const [, name = '', command = ''] = LINE.exec(text) ?? []
    const number = (index + 1).toString()
    if (name === '') notes.push(`line ${number} is no "name: command": ${text}`)
    else if (apps.some(({id}) => id === name)) notes.push(`line ${number} is a second "${name}": ${command}`)
    else apps.push(appOf(name, command, {folder, ports: apps.map(({keys}) => Number(keys['appPort'] ?? 0))}))
  }
  if (apps.length === 0) throw unreadable(file, 'it has no line of the form "name: command"', 0)
  const hasEnv = existsSync(join(folder, '.env'))
  return {
    from: basename(file.path),
    apps,
    notes: [...notes, 'foreman ends all when one ends; here the others go on, unless the run is stopped'],
    ...(hasEnv && {common: {envFile: '.env'}})
  }
}

/** `PORT=3000 RAILS_ENV=test command` */
const ASSIGNED = /^(\w+)=([\w./:@-]*)\s+(?=\S)/

function appOf(id: string, typed: string, {folder, ports}: {folder: string; ports: readonly number[]}): ImportedApp {
  const env: Record<string, string> = {}
  let line = typed
  for (let match = ASSIGNED.exec(line); match !== null; match = ASSIGNED.exec(line)) {
    env[match[1] ?? ''] = match[2] ?? ''
    line = line.slice(match[0].length)
  }
  const command = commandOf(line)
  const withEnv = Object.keys(env).length === 0 ? {} : {env}
  if (id === 'release')
    return {
      id,
      folder,
      keys: {command, ...withEnv, profiles: ['release']},
      notes: ['Heroku runs this once before each release: here by pillion start release, or --profile release']
    }
  const named = /\$\{?PORT\b/.test(line)
  const written = Number(env['PORT'] ?? /\$\{PORT:-(\d+)\}/.exec(line)?.[1] ?? 0) || (named ? 0 : portOf(line))
  const port = written || (named || id === 'web' ? FIRST_PORT + PORT_STEP * ports.length : 0)
  if (port === 0) return {id, folder, keys: {command, ...withEnv}, notes: []}
  if (ports.includes(port))
    return {id, folder, keys: {command, ...withEnv}, notes: [`appPort: ${port.toString()} is that of another app here`]}
  const notes =
    named || written > 0
      ? []
      : [`foreman sets PORT=${port.toString()}: if the program listens elsewhere, change appPort`]
  return {id, folder, keys: {appPort: port, command, env: {...env, PORT: port.toString()}}, notes}
}
