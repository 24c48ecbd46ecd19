import {existsSync, readdirSync} from 'node:fs'
import {basename, join, relative} from 'node:path'
import {UserError} from '../../model/errors.ts'
import type {Imported, ImportedApp} from './imported.ts'
import {
  movesByItself,
  nodeStart,
  portIn,
  has,
  readPackage,
  readText,
  SCRIPTS,
  type ProjectStart
} from './node-project.ts'
import {commandOfDockerfile, portOfDockerfile, runsInFolder} from './dockerfile.ts'
import {commandPort, hasMovedBind} from './shell-words.ts'
import {given} from './yaml-file.ts'

/** Why a folder with files of a project makes no app; '': it has no such files. */
function reasonOf(folder: string): string {
  if (has(folder, 'package.json'))
    return readPackage(folder) === undefined
      ? 'its package.json is not JSON'
      : `its package.json has no script ${SCRIPTS.slice(0, -1).join(', ')} or ${SCRIPTS.at(-1) ?? ''}`
  if (has(folder, 'pyproject.toml', 'requirements.txt', 'setup.py', 'Pipfile'))
    return 'it has no manage.py, main.py, app.py or server.py that serves'
  if (has(folder, 'go.mod')) return 'it has no package main, nor one in cmd'
  if (has(folder, 'pom.xml')) return 'its pom.xml has neither Spring Boot nor Quarkus'
  if (has(folder, 'build.gradle', 'build.gradle.kts'))
    return 'its build file has neither Spring Boot nor the plugin application'
  if (has(folder, 'Cargo.toml')) return 'it has no src/main.rs'
  return readdirSync(folder).some(name => /\.(?:cs|fs)proj$/.test(name)) ? 'its project makes no program' : ''
}

/** Of each folder with files of a project that made no app, why, by its path from `root`. */
const leftOut = (folders: readonly string[], root: string): readonly (readonly [string, string])[] =>
  folders.flatMap(folder => {
    const reason = reasonOf(folder)
    return reason === '' ? [] : [[relative(root, folder), reason] as const]
  })

/** Folders in which projects keep their parts. */
const GROUPS = ['apps', 'packages', 'services', 'cmd', 'src']
const SKIPPED = /^(?:\.|node_modules$|vendor$|dist$|build$|target$|test|docs?$|examples?$|__)/
/** A larger project has its commands elsewhere. */
const MAX_APPS = 50

/** The apps of a folder and of the folders in it, as their project files show them. Throws a `UserError` if there are none. */
export function importFolder(folder: string, shownAs: string): Imported {
  const own = appsIn(folder)
  const parts = [...foldersIn(folder), ...GROUPS.flatMap(group => foldersIn(join(folder, group)))]
    .filter(part => !GROUPS.includes(basename(part)) || existsSync(join(part, 'package.json')))
    .filter(part => !own.some(app => startsBelow(app, part)))
  const below = parts.flatMap(appsIn)
  const isWorkspace = below.length > 0 && own.some(({keys}) => keys['command'] !== undefined) && isMonorepo(folder)
  const apps = withUniqueIds([...(isWorkspace ? [] : own), ...below])
  const silent = leftOut(
    parts.filter(part => appsIn(part).length === 0),
    folder
  )
  if (apps.length === 0) throw nothingFound(shownAs, silent)
  const beyond = apps[MAX_APPS]
  return {
    from: `the files of ${basename(folder)}/`,
    apps: apps.slice(0, MAX_APPS),
    notes: [
      ...(beyond === undefined
        ? []
        : [`only the first ${MAX_APPS} of ${apps.length} projects were taken: add the others, from ${beyond.id} on`]),
      ...(isWorkspace ? ['the scripts of the root package.json, which start several packages, are left out'] : []),
      ...silent.map(
        ([part, reason]) => `${part}: left out, as ${reason}: if it is to run, write an app with its command`
      )
    ]
  }
}

const nothingFound = (shownAs: string, silent: ReturnType<typeof leftOut>): UserError =>
  new UserError(`found nothing to import in ${shownAs}`, {
    explanation: [
      ...silent.map(([part, reason]) => `${part}: ${reason}`),
      'Looked for process-compose.yaml, compose.yaml, Procfile, and in the folder and its folders for package.json, go.mod,',
      'pyproject.toml, manage.py, app.py, main.py, pom.xml, build.gradle, Cargo.toml and *.csproj. Or name a file.'
    ].join('\n')
  })

/** `go run ./cmd/api` and `uvicorn app.main:api` start what is in `cmd/api` and in `app`. */
const startsBelow = ({folder, keys}: ImportedApp, part: string): boolean => {
  const way = relative(folder, part)
  const words = keys['command'] as readonly string[]
  return words.some(
    word => word === `./${way}` || word.startsWith(`${way}/`) || (word.startsWith(`${way}.`) && !has(folder, word))
  )
}

function foldersIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, {withFileTypes: true})
    return entries
      .filter(entry => entry.isDirectory() && !SKIPPED.test(entry.name))
      .map(({name}) => join(folder, name))
      .toSorted()
  } catch {
    return [] // there is none
  }
}

/** A second app of a name gets that of its folder's parent, too. */
function withUniqueIds(apps: readonly ImportedApp[]): readonly ImportedApp[] {
  const seen = new Map<string, number>()
  return apps.map(app => {
    const count = (seen.get(app.id) ?? 0) + 1
    seen.set(app.id, count)
    return count === 1 ? app : {...app, id: `${app.id}-${count}`}
  })
}

const isMonorepo = (folder: string): boolean =>
  'workspaces' in (readPackage(folder) ?? {}) ||
  ['pnpm-workspace.yaml', 'lerna.json', 'nx.json', 'turbo.json'].some(name => existsSync(join(folder, name)))

/** What a folder has to start, by the first of these that says something. */
export function appsIn(folder: string): readonly ImportedApp[] {
  for (const find of [nodeApp, pythonApp, goApps, javaApp, rustApp, dotnetApp, imageApp]) {
    const apps = find(folder)
    if (apps.length > 0) return apps
  }
  return []
}

const LISTENS =
  'appPort: the port on which it listens is not known from its files; autoPort: true gives one to a program that reads PORT'

/** It is called at its port, if the run can have it listen elsewhere. */
function appOf(folder: string, {command, port: known, move}: ProjectStart): ImportedApp {
  const port = known || portOfDockerfile(join(folder, 'Dockerfile'))
  const isMoved = hasMovedBind(command, folder)
  const key = isMoved || move === movesByItself ? 'port' : 'appPort'
  const readsPort = port === 0 && move === movesByItself
  return {
    id: basename(folder),
    folder,
    keys: given({[key]: port > 0 ? port : undefined, autoPort: readsPort ? true : undefined, command}),
    notes: port > 0 || readsPort ? [] : [LISTENS],
    move: move ?? (isMoved ? () => ({fixedPort: port}) : undefined)
  }
}

function nodeApp(folder: string): readonly ImportedApp[] {
  const start = nodeStart(folder)
  return start === undefined ? [] : [appOf(folder, start)]
}

/** What its Dockerfile starts, where that runs outside of the image. */
function imageApp(folder: string): readonly ImportedApp[] {
  const isProject = has(folder, 'package.json', 'requirements.txt', 'pyproject.toml', 'Pipfile', 'setup.py', 'Gemfile')
  const {entrypoint, cmd} = commandOfDockerfile(isProject ? join(folder, 'Dockerfile') : '')
  const command = [[...entrypoint, ...cmd], cmd].find(each => each.length > 0 && runsInFolder(each, folder))
  if (command === undefined) return []
  const texts = command.map(word => (/\.(?:[cm]?[jt]s|py|rb)$/.test(word) ? readText(folder, word) : ''))
  return [appOf(folder, {command, port: commandPort(command.join(' ')) || portIn(texts.join('\n'))})]
}

function pythonApp(folder: string): readonly ImportedApp[] {
  const python = has(folder, '.venv/bin/python') ? '.venv/bin/python' : has(folder, 'uv.lock') ? 'uv' : 'python3'
  const run = (...words: readonly string[]): readonly string[] =>
    python === 'uv' ? ['uv', 'run', 'python', ...words] : [python, ...words]
  /** A command with its port at the end. */
  const listening = (port: number, ...words: readonly string[]): readonly ImportedApp[] => {
    const command = (at: number): readonly string[] => run(...words, at.toString())
    return [appOf(folder, {command: command(port), port, move: at => ({command: command(at)})})]
  }
  if (has(folder, 'manage.py'))
    return [
      appOf(folder, {
        command: run('manage.py', 'runserver'),
        port: 8000,
        move: port => ({command: run('manage.py', 'runserver', port.toString())})
      })
    ]
  const names = [
    'main.py',
    'app.py',
    'server.py',
    ...['app', 'src'].filter(each => !isPython(join(folder, each))).map(each => `${each}/main.py`)
  ]
  const file = names.find(name => has(folder, name))
  if (file === undefined) return []
  const text = readText(folder, file)
  const asgi = /^(\w+)\s*=\s*(?:fastapi\.)?(?:FastAPI|Starlette|Litestar)\(/m.exec(text)?.[1]
  const module = file.replace(/\.py$/, '').replaceAll('/', '.')
  if (asgi !== undefined) return listening(8000, '-m', 'uvicorn', `${module}:${asgi}`, '--port')
  const wsgi = /^(\w+)\s*=\s*(?:flask\.)?Flask\(/m.exec(text)?.[1]
  if (wsgi !== undefined && !/\.run\(/.test(text))
    return listening(5000, '-m', 'flask', '--app', module, 'run', '--port')
  if (!isPython(folder) && !/\.run\(|serve/.test(text)) return []
  const port = portIn(text) || (wsgi === undefined ? 0 : 5000)
  return [appOf(folder, {command: run(file), port, move: movedByVariable(text)})]
}

/** It has a project file of its own. */
const isPython = (folder: string): boolean => has(folder, 'pyproject.toml', 'requirements.txt', 'setup.py', 'Pipfile')

/** A program whose text asks for the variable PORT. */
const movedByVariable = (text: string): ProjectStart['move'] =>
  /(?:env|environ|Getenv|var)\w*(?:\.get)?[([]["']PORT["']/.test(text) ? movesByItself : undefined

function goApps(folder: string): readonly ImportedApp[] {
  const sources = namesIn(folder).filter(name => name.endsWith('.go') && !name.endsWith('_test.go'))
  const texts = sources.map(name => readText(folder, name))
  const main = texts.filter(text => /^package main\b/m.test(text)).join('\n')
  if (main !== '')
    return [
      appOf(folder, {command: ['go', 'run', '.'], port: portIn(main) || goPort(main), move: movedByVariable(main)})
    ]
  if (!has(folder, 'go.mod')) return []
  return foldersIn(join(folder, 'cmd')).flatMap(each => {
    const name = basename(each)
    const text = readText(each, 'main.go')
    const start = {command: ['go', 'run', `./cmd/${name}`], port: goPort(text), move: movedByVariable(text)}
    return text === '' ? [] : [{...appOf(folder, start), id: name}]
  })
}

/** `":8080"` */
const goPort = (text: string): number => Number(/"[\w.]*:(\d{4,5})"/.exec(text)?.[1] ?? 0)

function javaApp(folder: string): readonly ImportedApp[] {
  const pom = readText(folder, 'pom.xml')
  const gradle = readText(folder, 'build.gradle') + readText(folder, 'build.gradle.kts')
  const maven = has(folder, 'mvnw') ? './mvnw' : 'mvn'
  const gradlew = has(folder, 'gradlew') ? './gradlew' : 'gradle'
  const spring = {port: springPort(folder) || 8080, move: byVariable('SERVER_PORT')}
  const quarkus = {port: 8080, move: byVariable('QUARKUS_HTTP_PORT')}
  if (/spring-boot-maven-plugin|spring-boot-starter/.test(pom))
    return [appOf(folder, {command: [maven, '-q', 'spring-boot:run'], ...spring})]
  if (pom.includes('quarkus')) return [appOf(folder, {command: [maven, '-q', 'quarkus:dev'], ...quarkus})]
  if (/org\.springframework\.boot/.test(gradle))
    return [appOf(folder, {command: [gradlew, '-q', 'bootRun'], ...spring})]
  if (/\bapplication\b/.test(gradle)) return [appOf(folder, {command: [gradlew, '-q', 'run'], port: 0})]
  return []
}

const byVariable =
  (name: string): ProjectStart['move'] =>
  port => ({env: {[name]: port.toString()}})

/** `server.port` of an application of Spring Boot, 0 if its files do not say it. */
function springPort(folder: string): number {
  const resources = join(folder, 'src/main/resources')
  const properties = /^\s*server\.port\s*[=:]\s*(?:\$\{\w+:)?(\d+)/m.exec(readText(resources, 'application.properties'))
  const yaml = ['application.yml', 'application.yaml'].map(name => readText(resources, name)).join('\n')
  return Number(
    properties?.[1] ?? /^server:\s*\n(?:[ \t]+.*\n)*?[ \t]+port:\s*(?:\$\{\w+:)?(\d+)/m.exec(yaml)?.[1] ?? 0
  )
}

const rustApp = (folder: string): readonly ImportedApp[] =>
  has(folder, 'Cargo.toml') && has(folder, 'src/main.rs') ? [cargoApp(folder, readText(folder, 'src/main.rs'))] : []

const cargoApp = (folder: string, text: string): ImportedApp =>
  appOf(folder, {command: ['cargo', 'run'], port: goPort(text), move: movedByVariable(text)})

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // it cannot be read
  }
}

function dotnetApp(folder: string): readonly ImportedApp[] {
  const project = namesIn(folder).find(name => /\.(?:cs|fs)proj$/.test(name))
  if (project === undefined || !/Sdk\.(?:Web|Worker)|<OutputType>Exe/.test(readText(folder, project))) return []
  const settings = readText(folder, 'Properties/launchSettings.json')
  const command = ['dotnet', 'run']
  return [
    appOf(folder, {
      command,
      port: Number(/http:\/\/[\w.]+:(\d+)/.exec(settings)?.[1] ?? 0),
      move: port => ({command: [...command, '--urls', `http://localhost:${port}`]})
    })
  ]
}
