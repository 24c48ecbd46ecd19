import {basename, join, relative} from 'node:path'
import {packageScript} from '../../../files/config/package-script.ts'
import {programsIn} from '../../../files/config/programs.ts'
import {UserError} from '../../../model/errors.ts'
import {isInside} from '../../../model/glob.ts'
import {shellQuoted} from '../../../model/shell-quoted.ts'
import {composeFilesIn} from '../find-source.ts'
import type {Imported, ImportedApp} from '../imported.ts'
import {foldersOf, packagesOf} from './project-folders.ts'
import {dotnet, elixir, go, php, ruby, rust} from './languages/others.ts'
import {java} from './languages/java.ts'
import {node, readPackage, startsParts} from './languages/node.ts'
import {entriesOf, foldersBelow, has, readText} from '../reading/files.ts'
import {image, projectApp} from './languages/project.ts'
import type {ProjectReader} from './languages/reader.ts'
import type {ProgramVariables} from '../reading/variables.ts'
import {python} from './languages/python.ts'
import {isServerApp} from '../reading/listening.ts'
import {textsOf, textValue} from '../reading/yaml-file.ts'

/** Readers of projects, best first. */
const READERS: readonly ProjectReader[] = [ruby, php, elixir, node, python, go, java, rust, dotnet, image]

/** The programs of a folder, by the first reader that finds one. `env`: variables that it gets. `port`: a number that comes before a guess. */
export function appsIn(folder: string, env: ProgramVariables = {}, port = 0): readonly ImportedApp[] {
  for (const {startsIn} of READERS) {
    const starts = startsIn(folder, env)
    if (starts.length > 0) return starts.map(each => projectApp(folder, each, env, port))
  }
  return []
}

/** Returns a note on a program of another language in the folder that is not an app: a front end next to its server. */
function otherStarts({folder, keys}: ImportedApp, apps: readonly ImportedApp[]): readonly string[] {
  const parts = apps.map(app => app.folder).filter(part => part !== folder)
  const all = READERS.slice(0, -1).flatMap(({startsIn}) => {
    const started = startsIn(folder, {}).map(each => projectApp(folder, each))
    return started.filter(app => !parts.some(part => startsBelow(app, part))).slice(0, 1)
  })
  if (all.length < 2) return []
  const others = all.map(each => lineOf(each.keys)).filter(each => each !== lineOf(keys))
  return others.map(each => `its folder also starts ${each}: if it is to run, write an app with that command`)
}

const toolNote = ({id, keys}: ImportedApp): readonly string[] =>
  textsOf(keys['profiles']).includes('tools')
    ? [`it is a tool of the command line: pillion start ${id}, or --profile tools`]
    : []

/** The command of an app as a line of a shell. */
const lineOf = ({command}: ImportedApp['keys']): string => textsOf(command).join(' ')

/** Why a folder with files of a project makes no app; '': it has no such files. */
const reasonOf = (folder: string): string => READERS.map(reader => reader.reasonOf(folder)).find(Boolean) ?? ''

/** The apps of a folder and of the folders in it, as their project files show them. `hasServers`: its compose file is read, too. Throws a `UserError` if there are none. */
export async function importFolder(
  folder: string,
  shownAs: string,
  cwd: string,
  hasServers = false
): Promise<Imported> {
  const {apps: projects, silent, notes} = await projectsOf(folder)
  const manifests = manifestFolders(folder, cwd)
  if (projects.length === 0) throw nothingFound(shownAs, [...silent, ...manifests], composeFiles(folder, cwd))
  const apps = withUniqueIds(projects)
  return {
    from: `the files of ${basename(folder)}/`,
    apps: apps.map(app => ({...app, notes: [...app.notes, ...toolNote(app), ...otherStarts(app, apps)]})),
    notes: [
      ...notes,
      ...manifests.slice(0, 1).map(each => each.join(': ')),
      ...(hasServers ? [] : otherFiles(composeFiles(folder, cwd), shownAs)),
      ...Array.from(
        Map.groupBy(silent, ([, reason]) => reason),
        ([reason, parts]) =>
          `${parts.map(([part]) => part).join(', ')}: left out, as ${reason}: if it is to run, write an app with its command`
      )
    ]
  }
}

/** Finds folders with workloads of Kubernetes, each with its command for import. */
const manifestFolders = (root: string, cwd: string): Projects['silent'] =>
  [root, ...foldersBelow(root, 3)]
    .filter(each => entriesOf(each).some(name => /\.ya?ml$/.test(name) && WORKLOAD.test(readText(each, name))))
    .map(each => relative(cwd, each) || '.')
    .map(way => [way, `manifests of Kubernetes: pillion import --from kubernetes ${shellQuoted(way)}`])
const WORKLOAD = /^apiVersion:[^]*\bcontainers:/m

/** Compose files further down, or under names that are not looked for, as they are named from `cwd`. */
const composeFiles = (root: string, cwd: string): readonly string[] =>
  [root, ...foldersBelow(root, 2)]
    .flatMap(folder => [folder, join(folder, 'src/main/docker')])
    .flatMap(folder => composeFilesIn(folder).map(name => relative(cwd, join(folder, name))))
    .toSorted((a, b) => Number(/\/services\.ya?ml$/.test(b)) - Number(/\/services\.ya?ml$/.test(a)))

/** The containers of other files may be needed. */
function otherFiles([first, ...others]: readonly string[], folder: string): readonly string[] {
  if (first === undefined) return []
  const more = others.length === 0 ? '' : `, ${others.slice(0, 4).join(', ')}`
  return [
    `${first}${more}: its services are not part of this: pillion import --from folder ${shellQuoted(folder)} ${shellQuoted(first)} reads both`
  ]
}

/** The script of a package, or the lines of just or make, that a command starts; '': none. */
export function scriptOf([tool = '', ...args]: readonly string[], folder: string): string {
  if (!/^(?:just|make)$/.test(tool)) return packageScript(args, folder)?.script ?? ''
  const recipe = new RegExp(`^${(args[0] ?? '').replaceAll(/[^\w-]/g, '.')}\\b.*:.*(?:\\n[ \\t]+.*)+`, 'm')
  return recipe.exec(readText(folder, tool === 'just' ? 'justfile' : 'Makefile'))?.[0] ?? ''
}

/** Whether no app starts a project, by its folder or a name in its command, or in the script that this starts. */
function isIdle(project: ImportedApp, root: string, apps: readonly ImportedApp[]): boolean {
  const programs = apps.filter(({published}) => published === undefined)
  const lines = programs.map(each => `${lineOf(each.keys)} ${scriptOf(textsOf(each.keys['command']), each.folder)}`)
  const words = lines.join('\n')
  const named = (text: string): boolean =>
    apps.some(({id}) => id === text) ||
    ` ${words.replaceAll(/[\s/"'=:;&]+/g, ' ')} `.includes(` ${text.replaceAll('/', ' ')} `)
  const {folder, id} = project
  if (folder === root) return !programs.some(app => app.folder === root && !isServerApp(app))
  const names = [id, relative(root, folder), textValue(readPackage(folder)?.['name'])].filter(Boolean)
  return !programs.some(app => app.folder === folder) && !names.some(named)
}

/** Returns the note on projects of a folder that none of these apps starts, or nothing. */
export async function idleNote(root: string, apps: readonly ImportedApp[], cwd: string): Promise<readonly string[]> {
  const projects = (await projectsOf(root)).apps.filter(each => isIdle(each, root, apps))
  const names = [...new Set(projects.map(({folder}) => relative(root, folder) || '.'))]
  if (names.length === 0) return []
  const them = names.length === 1 ? 'this project' : 'these projects'
  const isImage = isPublished(root, projects, apps)
  // other projects of the folder run already
  const folders = (isImage ? ['.'] : names).map(name => relative(cwd, join(root, name)))
  const ways = folders.filter(each => each !== '').map(shellQuoted)
  const way = `pillion import ${[...ways, '--from folder -o programs.yaml'].join(' ')}`
  return isImage
    ? [`${names.join(', ')}: published images run, not the code: ${way} starts it: remove the containers in its place`]
    : [`${names.join(', ')}: nothing of this file starts ${them}: ${way}, and run both: -f . -f programs.yaml`]
}

/** Whether containers run published images of a folder or its projects, by a name that they share. */
export function isPublished(root: string, projects: readonly ImportedApp[], apps: readonly ImportedApp[]): boolean {
  const names = projects.flatMap(({id, folder}) => [id, basename(folder)])
  const own = new Set([basename(root), textValue(readPackage(root)?.['name']), ...names])
  const isOwn = ({id, image: name = ''}: ImportedApp): boolean =>
    [id, ...name.split(/[/:@]/)].some(part => own.has(part))
  return apps.some(app => app.image !== undefined && app.builtFrom === undefined && isOwn(app))
}

interface Projects {
  readonly apps: readonly ImportedApp[]
  /** Projects without a program, by their paths from the folder, each with the reason. */
  readonly silent: readonly (readonly [string, string])[]
  readonly notes: readonly string[]
}

async function projectsOf(root: string): Promise<Projects> {
  const nx = has(root, 'nx.json')
    ? (await import('./workspaces.ts')).nxApps(root)
    : new Map<string, readonly ImportedApp[]>()
  const known = new Map(nx) // a folder is asked for more than once
  const find = (folder: string): readonly ImportedApp[] => {
    const apps = known.get(folder) ?? appsIn(folder)
    known.set(folder, apps)
    return apps
  }
  const own = find(root)
  // programs that the script of a workspace starts side by side, each as it says
  const whole = own.length > 1 && packagesOf(root).length > 0 ? own : []
  const all = foldersOf(root, {
    isProject: folder => find(folder).length > 0 || reasonOf(folder) !== '',
    isBelow: part =>
      !startsParts(root) && whole.length === 0 && own.some(app => app.folder === part || startsBelow(app, part))
  })
  const parts = all.folders
  const found = [root, ...parts].map(folder => [folder, find(folder)] as const)
  const isLeft = (folder: string): boolean =>
    (startsParts(folder) || (folder === root && all.isWorkspace && whole.length === 0)) &&
    found.some(([other, below]) => other !== folder && isInside(other, folder) && below.length > 0)
  const left = found.filter(([folder, mine]) => mine.length > 0 && isLeft(folder)).map(([folder]) => folder)
  const apps = found.flatMap(([folder, mine]) => (left.includes(folder) ? [] : mine))
  const workspace = all.isWorkspace ? await import('./workspaces.ts') : undefined
  const filtered =
    whole.length > 0
      ? workspace?.withOthers(
          whole,
          apps.filter(each => isIdle(each, root, whole))
        )
      : workspace?.withRootFilter(apps, root)
  return {
    apps: filtered?.apps ?? apps,
    silent: [...(apps.length === 0 ? [root] : []), ...parts].flatMap(part => {
      const reason = find(part).length > 0 ? '' : reasonOf(part)
      return reason === '' ? [] : [[relative(root, part) || '.', reason] as const]
    }),
    notes: [
      ...all.notes,
      ...(filtered?.notes ?? []),
      ...(workspace ? [...workspace.taskNote(root), ...workspace.turboNotes(apps, root)] : []),
      ...left
        .map(folder => relative(root, join(folder, 'package.json')))
        .map(file => `the scripts of ${file}, which start several packages, are left out`)
    ]
  }
}

const nothingFound = (shownAs: string, silent: Projects['silent'], others: readonly string[]): UserError =>
  new UserError(`found nothing to import in ${shownAs}`, {
    explanation: [
      ...silent.map(([part, reason]) => `${part}: ${reason}`),
      'Looked for process-compose.yaml, compose.yaml, Procfile, Tiltfile, skaffold.yaml, and in the folder and its folders for',
      'package.json, deno.json, go.mod, pyproject.toml, manage.py, app.py, main.py, pom.xml, build.gradle, Cargo.toml, Gemfile, mix.exs, composer.json, *.csproj and',
      `manifests of Kubernetes. Or name a file${others.length === 0 ? '' : `: ${others.slice(0, 5).join(', ')}`}.`
    ].join('\n')
  })

/** Whether a program, or its script, starts a folder below its own: `go run ./cmd/api` starts `cmd/api`, `uvicorn app.main:api` starts `app`. */
const startsBelow = ({folder, keys}: ImportedApp, part: string): boolean => {
  const [way, command] = [relative(folder, part), textsOf(keys['command'])]
  return [...programsIn(command, folder).flatMap(({args}) => args), scriptOf(command, folder)]
    .flatMap(word => word.split(' '))
    .some(
      word => word === `./${way}` || word.startsWith(`${way}/`) || (word.startsWith(`${way}.`) && !has(folder, word))
    )
}

/** A second app of a name gets a number behind it. */
function withUniqueIds(apps: readonly ImportedApp[]): readonly ImportedApp[] {
  const taken = new Set(apps.map(({id}) => id))
  const seen = new Set<string>()
  return apps.map(app => {
    let {id} = app
    for (let count = 2; seen.has(id) || (id !== app.id && taken.has(id)); count++) id = `${app.id}-${count}`
    seen.add(id)
    return {...app, id}
  })
}
