import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {basename, join} from 'node:path'
import {UserError} from '../model/errors.ts'
import type {Imported, ImportedApp} from './imported.ts'
import {portOf} from './shell-words.ts'
import {given} from './yaml-file.ts'

/** Folders in which projects keep their parts. */
const GROUPS = ['apps', 'packages', 'services', 'cmd', 'src']
const SKIPPED = /^(?:\.|node_modules$|vendor$|dist$|build$|target$|test|docs?$|examples?$|__)/
/** A larger project has its commands elsewhere. */
const MAX_APPS = 50

/** The apps of a folder and of the folders in it, as their project files show them. Throws a `UserError` if there are none. */
export function importFolder(folder: string, shownAs: string): Imported {
  const parts = [...foldersIn(folder), ...GROUPS.flatMap(group => foldersIn(join(folder, group)))]
  const below = parts
    .filter(part => !GROUPS.includes(basename(part)) || existsSync(join(part, 'package.json')))
    .flatMap(appsIn)
  const own = appsIn(folder)
  const isWorkspace = below.length > 0 && own.some(({keys}) => keys['command'] !== undefined) && isMonorepo(folder)
  const apps = withUniqueIds([...(isWorkspace ? [] : own), ...below]).slice(0, MAX_APPS)
  if (apps.length === 0)
    throw new UserError(`found nothing to import in ${shownAs}`, {
      explanation:
        'Looked for process-compose.yaml, compose.yaml, Procfile, and in the folder and its folders for package.json, go.mod,\npyproject.toml, manage.py, app.py, main.py, pom.xml, build.gradle, Cargo.toml and *.csproj. Or name a file.'
    })
  return {
    from: `the files of ${basename(folder)}/`,
    apps,
    notes: isWorkspace ? ['the scripts of the root package.json, which start several packages, are left out'] : []
  }
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
    return count === 1 ? app : {...app, id: `${app.id}-${count.toString()}`}
  })
}

const isMonorepo = (folder: string): boolean =>
  'workspaces' in readPackage(folder) ||
  ['pnpm-workspace.yaml', 'lerna.json', 'nx.json', 'turbo.json'].some(name => existsSync(join(folder, name)))

/** What a folder has to start, by the first of these that says something. */
export function appsIn(folder: string): readonly ImportedApp[] {
  for (const find of [nodeApp, pythonApp, goApps, javaApp, rustApp, dotnetApp]) {
    const apps = find(folder)
    if (apps.length > 0) return apps
  }
  return []
}

const has = (folder: string, ...names: readonly string[]): boolean => names.some(name => existsSync(join(folder, name)))

function readText(folder: string, name: string): string {
  try {
    return readFileSync(join(folder, name), 'utf8')
  } catch {
    return ''
  }
}

interface Package {
  readonly name?: unknown
  readonly main?: unknown
  readonly scripts?: Readonly<Record<string, unknown>>
  readonly workspaces?: unknown
}

function readPackage(folder: string): Package {
  try {
    const read: unknown = JSON.parse(readText(folder, 'package.json'))
    return typeof read === 'object' && read !== null ? read : {}
  } catch {
    return {} // there is none, or it is not JSON
  }
}

const LISTENS =
  'appPort: the port on which it listens is not known from its files; autoPort: true gives one to a program that reads PORT'

const appOf = (
  folder: string,
  command: readonly string[],
  port: number,
  notes: readonly string[] = []
): ImportedApp => ({
  id: basename(folder),
  folder,
  keys: given({appPort: port > 0 ? port : undefined, command}),
  notes: port > 0 ? notes : [...notes, LISTENS]
})

function nodeApp(folder: string): readonly ImportedApp[] {
  if (!has(folder, 'package.json')) return []
  const {scripts = {}, main} = readPackage(folder)
  const script = ['dev', 'start:dev', 'start', 'serve'].find(name => typeof scripts[name] === 'string')
  const text = script === undefined ? '' : String(scripts[script])
  if (script !== undefined) return [appOf(folder, [managerOf(folder), 'run', script], portOf(text))]
  const file = [typeof main === 'string' ? main : '', 'server.js', 'app.js'].find(
    name => name !== '' && has(folder, name)
  )
  return file === undefined || !looksServing(readText(folder, file))
    ? []
    : [appOf(folder, ['node', file], portIn(readText(folder, file)))]
}

/** The package manager whose lock file is in the folder or above. */
function managerOf(folder: string): string {
  for (const each of [folder, join(folder, '..'), join(folder, '../..')]) {
    if (has(each, 'pnpm-lock.yaml')) return 'pnpm'
    if (has(each, 'yarn.lock')) return 'yarn'
    if (has(each, 'bun.lock', 'bun.lockb')) return 'bun'
    if (has(each, 'package-lock.json')) return 'npm'
  }
  return 'npm'
}

const looksServing = (text: string): boolean => /\.listen\(|createServer|serve\(/.test(text)

/** The port that a program's text names next to a `listen`. */
const portIn = (text: string): number =>
  Number(/(?:listen\(\s*|PORT\s*(?:\|\||\?\?)\s*["']?|\.run\([^)]*port\s*=\s*)(\d{4,5})/i.exec(text)?.[1] ?? 0)

function pythonApp(folder: string): readonly ImportedApp[] {
  const python = has(folder, '.venv/bin/python') ? '.venv/bin/python' : has(folder, 'uv.lock') ? 'uv' : 'python3'
  const run = (...words: readonly string[]): readonly string[] =>
    python === 'uv' ? ['uv', 'run', 'python', ...words] : [python, ...words]
  if (has(folder, 'manage.py')) return [appOf(folder, run('manage.py', 'runserver'), 8000)]
  const file = ['main.py', 'app.py', 'server.py', 'app/main.py', 'src/main.py'].find(name => has(folder, name))
  if (file === undefined) return []
  const text = readText(folder, file)
  const asgi = /^(\w+)\s*=\s*(?:fastapi\.)?(?:FastAPI|Starlette|Litestar)\(/m.exec(text)?.[1]
  const module = file.replace(/\.py$/, '').replaceAll('/', '.')
  if (asgi !== undefined) return [appOf(folder, run('-m', 'uvicorn', `${module}:${asgi}`, '--port', '8000'), 8000)]
  const wsgi = /^(\w+)\s*=\s*(?:flask\.)?Flask\(/m.exec(text)?.[1]
  if (wsgi !== undefined && !/\.run\(/.test(text))
    return [appOf(folder, run('-m', 'flask', '--app', module, 'run', '--port', '5000'), 5000)]
  if (!has(folder, 'pyproject.toml', 'requirements.txt', 'setup.py', 'Pipfile') && !/\.run\(|serve/.test(text))
    return []
  return [appOf(folder, run(file), portIn(text) || (wsgi === undefined ? 0 : 5000))]
}

function goApps(folder: string): readonly ImportedApp[] {
  if (has(folder, 'main.go') && /^package main\b/m.test(readText(folder, 'main.go')))
    return [
      appOf(folder, ['go', 'run', '.'], portIn(readText(folder, 'main.go')) || goPort(readText(folder, 'main.go')))
    ]
  if (!has(folder, 'go.mod')) return []
  return foldersIn(join(folder, 'cmd')).flatMap(each => {
    const name = basename(each)
    const text = readText(each, 'main.go')
    return text === '' ? [] : [{...appOf(folder, ['go', 'run', `./cmd/${name}`], goPort(text)), id: name}]
  })
}

/** `":8080"` */
const goPort = (text: string): number => Number(/"[\w.]*:(\d{4,5})"/.exec(text)?.[1] ?? 0)

function javaApp(folder: string): readonly ImportedApp[] {
  const pom = readText(folder, 'pom.xml')
  const gradle = readText(folder, 'build.gradle') + readText(folder, 'build.gradle.kts')
  const maven = has(folder, 'mvnw') ? './mvnw' : 'mvn'
  if (/spring-boot-maven-plugin|spring-boot-starter/.test(pom))
    return [appOf(folder, [maven, '-q', 'spring-boot:run'], 8080)]
  if (pom.includes('quarkus')) return [appOf(folder, [maven, '-q', 'quarkus:dev'], 8080)]
  const command = has(folder, 'gradlew') ? './gradlew' : 'gradle'
  if (/org\.springframework\.boot/.test(gradle)) return [appOf(folder, [command, '-q', 'bootRun'], 8080)]
  if (/\bapplication\b/.test(gradle)) return [appOf(folder, [command, '-q', 'run'], 0)]
  return []
}

const rustApp = (folder: string): readonly ImportedApp[] =>
  has(folder, 'Cargo.toml') && has(folder, 'src/main.rs')
    ? [appOf(folder, ['cargo', 'run'], goPort(readText(folder, 'src/main.rs')))]
    : []

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
  return [appOf(folder, ['dotnet', 'run'], Number(/http:\/\/[\w.]+:(\d+)/.exec(settings)?.[1] ?? 0))]
}
