import {existsSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {isFile, textAt} from '../reading/files.ts'
import {envFileVariables, sampleOf} from '../reading/variables.ts'
import {readPackage} from '../folder/languages/node.ts'
import {mapOf, textValue} from '../reading/yaml-file.ts'
import {pathTo, unreadable, type Imported, type ImportedApp, type ImportedFile, type ListensAt} from '../imported.ts'
import {commandListening} from '../folder/command-start.ts'
import {placedLine} from '../folder/languages/parallel.ts'
import {inVenv} from '../folder/languages/python.ts'
import {portOfCallers} from '../reading/listening.ts'
import {commandOf, flaggedPort} from '../reading/shell-words.ts'

const LINE = /^([A-Za-z0-9_.-]+):\s*(\S.*)$/
/** Foreman counts ports from PORT of its env file, else from here, a hundred for each process (foreman's lib/foreman/engine.rb). */
const FIRST_PORT = 5000
const PORT_STEP = 100

/** A Procfile as foreman, Heroku, overmind and honcho read it. Throws a `UserError` if it names no process. */
export function importProcfile(file: ImportedFile): Imported {
  const root = dirname(file.path)
  const variables = envFileVariables(join(root, '.env'))
  const firstPort = Number(variables['PORT']) || portOfStarter(file) || FIRST_PORT
  const notes: string[] = []
  const apps: ImportedApp[] = []
  for (const [index, line] of file.text.split(/\r?\n/).entries()) {
    const text = line.trim()
    if (text === '' || text.startsWith('#')) continue
    const [, name = '', command = ''] = LINE.exec(text) ?? []
    if (name === '') notes.push(`line ${index + 1} is no "name: command": ${text}`)
    else if (apps.some(({id}) => id === name)) notes.push(`line ${index + 1} is a second "${name}": ${command}`)
    else apps.push(appOf(name, command, {root, firstPort, variables, before: apps}))
  }
  if (apps.length === 0) throw unreadable(file, 'it has no line of the form "name: command"', 0)
  return {from: basename(file.path), ...withEnvFile(apps, join(root, '.env')), notes}
}

/** `go run` in the place of a program that Heroku builds of go.mod, unless that is there. */
function runByGo(command: readonly string[], folder: string): readonly string[] {
  const [program = '', ...args] = command
  const module = /^module \S*?([\w.-]+)$/m.exec(textAt(join(folder, 'go.mod')))?.[1]
  const name = program.replace(/^(?:\.\/)?bin\//, '')
  if (module === undefined || !/^[\w.-]+$/.test(name) || existsSync(join(folder, program))) return command
  if (existsSync(join(folder, 'cmd', name))) return ['go', 'run', `./cmd/${name}`, ...args]
  return name === module ? ['go', 'run', '.', ...args] : command
}

/** Rails' `bin/dev` gives foreman a first port: `PORT="${PORT:-3000}"`; 0: there is none. */
const portOfStarter = ({path}: ImportedFile): number =>
  path.endsWith('.dev') ? Number(STARTER_PORT.exec(textAt(join(dirname(path), 'bin/dev')))?.[1] ?? 0) : 0
const STARTER_PORT = /^[ \t]*(?:(?:export )?PORT=["']?\$\{PORT:-|export PORT=)(\d+)/m

/** Foreman reads one file for all; here its path counts from the folder of each app. */
function withEnvFile(apps: readonly ImportedApp[], file: string): Pick<Imported, 'apps' | 'common'> {
  if (!isFile(file) && sampleOf(file) === '') return {apps}
  const entry = (path: string): unknown => (isFile(file) ? path : {path, required: false})
  if (apps.every(({folder}) => folder === dirname(file))) return {apps, common: {envFile: entry(basename(file))}}
  return {apps: apps.map(app => ({...app, keys: {...app.keys, envFile: entry(pathTo(file, app.folder))}}))}
}

interface Around {
  /** The folder of the Procfile. */
  readonly root: string
  readonly firstPort: number
  /** Variables of its `.env`. */
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly before: readonly ImportedApp[]
}

function appOf(id: string, typed: string, {root, firstPort, variables, before}: Around): ImportedApp {
  const {folder, line: placed} = placedLine(typed, root)
  const {env: own, line: written} = assigned(placed)
  const command = inVenv(runByGo(commandOf(watching(written, folder)), folder), folder)
  const {PORT = (firstPort + PORT_STEP * before.length).toString(), ...env} = own
  const app = {id, folder, notes: []}
  if (id === 'release')
    return {
      ...app,
      keys: {command, env: {...env, PORT}, profiles: ['release']},
      notes: ['Heroku runs this once before each release: here by pillion start release, or --profile release']
    }
  const listens = listening(app, command, {...variables, ...own}, Number(PORT), own['PORT'] !== undefined)
  const isRead = own['PORT'] !== undefined || listens.port === 0 || listens.takes === 'PORT'
  const keys = {command, env: isRead ? {...env, PORT} : env}
  const owner = before.find(each => portOfCallers(each) === listens.port)
  if (owner === undefined || own['PORT'] === undefined) return {...app, keys, listens}
  const note = `PORT: ${PORT} is that of ${owner.id}: if it listens, too, give it another PORT, and write port`
  return {...app, keys, notes: [note]}
}

/** Finds the port of a process: foreman's number if its line or its code read PORT, else by its files. */
function listening(
  {id, folder}: Pick<ImportedApp, 'id' | 'folder'>,
  command: readonly string[],
  {PORT: given, ...variables}: Around['variables'],
  port: number,
  isOwn: boolean
): ListensAt {
  const line = command.join(' ')
  const found = commandListening(command, folder, variables)
  // a line that Rails' generators write
  if (/\bunset PORT\b/.test(line)) return {port: found.port, written: 0}
  const isTold = isOwn || found.takes === 'PORT' || /\$\{?PORT\b/.test(line)
  const byPort = {port, takes: 'PORT', written: found.port} as const
  const isOther = given === undefined && found.guess !== undefined && found.port !== port
  const guess = isOther && {guess: `foreman gives it as PORT, and ${found.guess} is ${found.port}`}
  if (isTold && flaggedPort(line) === 0) return {...byPort, ...guess}
  if (found.port > 0 || id !== 'web') return {...found, written: found.port}
  return {...byPort, guess: 'foreman gives it as PORT'}
}

/** `PORT=3000 RAILS_ENV=test command` */
function assigned(typed: string): {readonly env: Readonly<Record<string, string>>; readonly line: string} {
  const [, all = '', line = typed] = /^((?:\w+=[\w./:@-]*\s+)*)(\S.*)$/s.exec(typed) ?? []
  const pairs = [...all.matchAll(/(\w+)=(\S*)/g)].map(([, name = '', value = '']) => [name, value] as const)
  return {env: Object.fromEntries(pairs), line}
}

/** A line with the flag by which watchers of Tailwind and esbuild go on where their stdin is empty; foreman gives them its own. */
function watching(line: string, folder: string): string {
  const [, before = '', script = ''] = /^(.*?\b(?:npm|pnpm|yarn|bun)(?: run)? )([\w:.-]+)/.exec(line) ?? []
  // words behind the name of a script are those of its last program
  const last = textValue(mapOf(readPackage(folder)?.['scripts'])[script]).replace(/.*[|&;]/s, '')
  const [ofScript, ofLine] = [WATCHER.exec(last), WATCHER.exec(line)]
  const flag = `--watch=${(ofScript ?? ofLine)?.[0].includes('esbuild') === true ? 'forever' : 'always'}`
  const start = ofScript === null ? (ofLine?.index ?? line.length) : before.length
  const own = line.slice(start).replace(/(?<=^[^|&;]*\s)(?:--watch(?=\s|$)|-w(?=\s+-|$))/, flag)
  return (line.slice(0, start) + own).replace(/\bra(?:ils|ke) tailwindcss:watch(?=\s|$)/, '$&[always]')
}
const WATCHER = /(?:^|[\s/"'])@?(?:tailwindcss|esbuild)(?:\/cli)?(?:@[\w.^~-]+)?(?=\s|$)/
