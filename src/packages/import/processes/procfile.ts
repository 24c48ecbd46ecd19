import {existsSync} from 'node:fs'
import {basename, dirname, join, resolve} from 'node:path'
import {isFile, isFolder, textAt} from '../reading/files.ts'
import {envFileVariables} from '../reading/variables.ts'
import {buildNote, readPackage} from '../folder/languages/node.ts'
import {mapOf, textsOf, textValue} from '../reading/yaml-file.ts'
import {pathTo, unreadable, type Imported, type ImportedApp, type ImportedFile} from '../imported.ts'
import {commandOf, flaggedPort, commandPort, portVariable, readsPort, splitFolder} from '../reading/shell-words.ts'

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
    else apps.push(withBuildNote(appOf(name, command, {root, firstPort, isWritten: 'PORT' in variables, before: apps})))
  }
  if (apps.length === 0) throw unreadable(file, 'it has no line of the form "name: command"', 0)
  return {
    from: basename(file.path),
    ...withEnvFile(apps, join(root, '.env')),
    notes: [...notes, 'foreman ends all processes when one of them ends; Pillion keeps the others running']
  }
}

/** A line for a server of production may need what a build makes. */
function withBuildNote(app: ImportedApp): ImportedApp {
  const command = textsOf(app.keys['command'])
  const note = buildNote(command, app.folder) || herokuNote(command, app.folder)
  return note === '' ? app : {...app, notes: [...app.notes, note]}
}

/** What Heroku builds or provides and a developer's machine has not; '': nothing is known to be missing. */
function herokuNote(command: readonly string[], folder: string): string {
  const line = command.join(' ')
  const [, jar = ''] = /\bjava\b.* -jar (\S+\.jar)\b/.exec(line) ?? []
  if (jar !== '' && !/[*$]/.test(jar) && !existsSync(resolve(folder, jar))) {
    const build = ['mvnw', 'gradlew'].find(name => existsSync(join(folder, name)))
    const isGradle = build === undefined ? jar.startsWith('build/') : build === 'gradlew'
    const tool = build === undefined ? (isGradle ? 'gradle' : 'mvn') : `./${build}`
    return `it starts ${jar}, which is not there: ${tool} ${isGradle ? 'build' : 'package'} makes it`
  }
  const [program = ''] = command
  if (program.startsWith('heroku-php-'))
    return `${program} is a program of Heroku: write php -S localhost:$PORT -t ${command[1] ?? '.'} in its place`
  const module = /^module \S*?([\w.-]+)$/m.exec(textAt(join(folder, 'go.mod')))?.[1]
  const name = program.replace(/^(?:\.\/)?bin\//, '')
  const isBuilt = module !== undefined && /^[\w.-]+$/.test(name) && !existsSync(join(folder, program))
  const isKnown = name === module || existsSync(join(folder, 'cmd', name))
  if (!isBuilt || !isKnown) return ''
  return `Heroku builds ${program} of go.mod: write go run ${name === module ? '.' : `./cmd/${name}`} in its place`
}

/** Rails' `bin/dev` gives foreman a first port: `PORT="${PORT:-3000}"`; 0: there is none. */
const portOfStarter = ({path}: ImportedFile): number =>
  path.endsWith('.dev') ? Number(STARTER_PORT.exec(textAt(join(dirname(path), 'bin/dev')))?.[1] ?? 0) : 0
const STARTER_PORT = /^[ \t]*(?:(?:export )?PORT=["']?\$\{PORT:-|export PORT=)(\d+)/m

/** Foreman reads one file for all; here its path counts from the folder of each app. */
function withEnvFile(apps: readonly ImportedApp[], file: string): Pick<Imported, 'apps' | 'common'> {
  if (!isFile(file)) return {apps}
  if (apps.every(({folder}) => folder === dirname(file))) return {apps, common: {envFile: basename(file)}}
  return {apps: apps.map(app => ({...app, keys: {...app.keys, envFile: pathTo(file, app.folder)}}))}
}

interface Around {
  /** The folder of the Procfile. */
  readonly root: string
  readonly firstPort: number
  /** The `.env` file sets PORT for all: it would hide the number that an app is given. */
  readonly isWritten: boolean
  readonly before: readonly ImportedApp[]
}

function appOf(id: string, typed: string, {root, firstPort, isWritten, before}: Around): ImportedApp {
  const {folder, line: placed} = placedIn(root, typed)
  const {env: own, line: written} = assigned(placed)
  const line = watching(written, folder)
  const command = commandOf(line)
  const env = {...own, PORT: own['PORT'] ?? (firstPort + PORT_STEP * before.length).toString()}
  if (id === 'release')
    return {
      id,
      folder,
      keys: {command, env, profiles: ['release']},
      notes: ['Heroku runs this once before each release: here by pillion start release, or --profile release']
    }
  const {port, isSure, isTold} = listensOn(id, {folder, line}, Number(env.PORT), own['PORT'] !== undefined)
  const mend = isTold && !isWritten ? 'write its number as fixedPort' : 'change appPort'
  const notes = isSure ? [] : [`foreman sets PORT=${env.PORT}: if the program listens elsewhere, ${mend}`]
  const variable = portVariable(line)
  const unknown = `appPort: ${variable} says where it listens: write its number`
  if (port === 0) return {id, folder, keys: {command, env}, notes: variable === '' ? [] : [unknown]}
  const owner = before.find(({keys}) => keys['appPort'] === port || keys['port'] === port)
  if (owner !== undefined) {
    const note = `appPort: ${port} is that of ${owner.id}: if it listens, too, give it another PORT, and write appPort`
    return {id, folder, keys: {command, env}, notes: [note]}
  }
  if (isTold && !isWritten) {
    const {PORT: _, ...others} = env
    return {id, folder, keys: {port, command, ...(Object.keys(others).length > 0 && {env: others})}, notes}
  }
  return {id, folder, keys: {appPort: port, command, env}, notes}
}

/** `cd web && npm start` runs in that folder, if it is there. */
function placedIn(root: string, typed: string): {readonly folder: string; readonly line: string} {
  const {folder, line} = splitFolder(typed)
  const path = resolve(root, folder)
  return folder !== '' && isFolder(path) ? {folder: path, line} : {folder: root, line: typed}
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

/** Where a process listens by its line and source, 0: nowhere. `given`: the port that it gets, `isOwn`: by its line. `isTold`: by PORT. */
function listensOn(
  id: string,
  {folder, line}: ReturnType<typeof placedIn>,
  given: number,
  isOwn: boolean
): {port: number; isSure: boolean; isTold: boolean} {
  // the lines that Rails' generators write
  if (/\bunset PORT\b/.test(line)) return {port: commandPort(line), isSure: true, isTold: false}
  if (/\$\{?PORT\b/.test(line)) return {port: given, isSure: true, isTold: true}
  const flagged = flaggedPort(line)
  if (flagged > 0) return {port: flagged, isSure: true, isTold: false}
  if (isOwn || readsPort(line) || sourceReadsPort(line, folder)) return {port: given, isSure: true, isTold: true}
  const usual = commandPort(line)
  if (portVariable(line) !== '') return {port: 0, isSure: true, isTold: false}
  if (usual > 0) return {port: usual, isSure: true, isTold: false}
  return {port: id === 'web' ? given : 0, isSure: false, isTold: true}
}

/** The variable PORT, as languages name it: `process.env.PORT`, `os.environ["PORT"]`, `ENV.fetch('PORT')`, `os.Getenv("PORT")`. */
const PORT_IN_SOURCE = /\benv(?:iron)?\b\W{1,3}(?:\w+\W{1,3})?PORT\b|getenv\(\s*["']PORT\b/i

/** A file that the line names reads it. */
const sourceReadsPort = (line: string, folder: string): boolean =>
  line.split(/\s+/).some(word => /\.\w+$/.test(word) && PORT_IN_SOURCE.test(textAt(resolve(folder, word))))
