// Workspaces: programs of `nx serve` (nx.dev/reference/project-configuration), and the filter and tasks of turbo
// (turborepo.com/docs/reference/configuration).
import {basename, join, relative} from 'node:path'
import {compileGlob} from '../../../model/glob.ts'
import type {ImportedApp, ListensAt} from '../imported.ts'
import {execOf, readPackage, SCRIPTS} from './languages/node.ts'
import {entriesOf, foldersBelow, has, jsonOf, readText} from '../reading/files.ts'
import {byDefault, listeningIn} from '../reading/listening.ts'
import {flaggedPort} from '../reading/shell-words.ts'
import {packagesOf} from './project-folders.ts'
import {given, isMap, mapOf, textsOf, textValue, type Values} from '../reading/yaml-file.ts'

/** The apps of each folder that has a project of Nx; none where a project starts nothing. */
export function nxApps(root: string): ReadonlyMap<string, readonly ImportedApp[]> {
  const hasPlugins = Array.isArray(jsonOf(root, 'nx.json')['plugins'])
  const apps = new Map<string, readonly ImportedApp[]>()
  for (const folder of [root, ...foldersBelow(root, 4)]) {
    const isProject = has(folder, 'project.json')
    const project = isProject ? jsonOf(folder, 'project.json') : mapOf(readPackage(folder)?.['nx'])
    const found =
      isProject || (folder !== root && has(folder, 'package.json')) ? nxApp(folder, root, project, hasPlugins) : []
    if (found.length > 0 || isProject) apps.set(folder, found)
  }
  return apps
}

/** Settings of a server for development, of which a plugin makes a target that the project need not name. */
const SERVERS = /^(?:vite|webpack|rspack|rsbuild|nuxt|next|remix)\.config\./

function nxApp(folder: string, root: string, project: Values, hasPlugins: boolean): readonly ImportedApp[] {
  const name = textValue(project['name']) || textValue(readPackage(folder)?.['name']) || basename(folder)
  if (project['projectType'] === 'library' || name.endsWith('-e2e')) return []
  const targets = mapOf(project['targets'])
  const config = entriesOf(folder).find(each => SERVERS.test(each)) ?? ''
  // without a page, Vite and webpack build a library or a program of Node
  const isServer = config !== '' && (has(folder, 'index.html') || !/^(?:vite|webpack)/.test(config))
  const inferred = hasPlugins && isServer ? (/^(?:next|remix|rsbuild)/.test(config) ? 'dev' : 'serve') : undefined
  const target = ['serve', 'dev', 'start'].find(each => isMap(targets[each])) ?? inferred
  if (target === undefined) return []
  const command = [...execOf(root), 'nx', target, name]
  const executor = textValue(mapOf(targets[target])['executor'])
  const isDev = executor === '' ? isServer : /dev-server|:server$/.test(executor)
  const {port, command: line} = mapOf(mapOf(targets[target])['options'])
  const written = Number((isDev && port) || 0) || flaggedPort(textValue(line))
  const found = isDev ? devListening(folder, command, isServer ? config : '') : mainListening(folder)
  const listens = written > 0 ? {takes: found.takes, port: written} : {...found, serves: true}
  return [{id: name.replace(/^@[^/]*\//, ''), folder: root, keys: {command}, listens, notes: []}]
}

/** A server for development takes `--port`; of the executors of Nx each one has 4200 as its default. */
function devListening(folder: string, command: readonly string[], config: string): ListensAt {
  const written = Number(/\bport:\s*(\d{4,5})/.exec(readText(folder, config))?.[1] ?? 0)
  const takes = {words: (at: string): readonly string[] => [...command, `--port=${at}`]}
  if (written > 0) return {port: written, takes}
  return config.startsWith('next') ? byDefault('next dev', 3000, takes) : byDefault('nx', 4200, takes)
}

/** An executor such as `@nx/js:node` starts the program itself: its `port` is that of a debugger. */
function mainListening(folder: string): ListensAt {
  const mains = ['src/main.ts', 'src/main.js', 'src/index.ts', 'src/server.ts', 'main.go', 'src/main.rs']
  return listeningIn(mains.map(name => readText(folder, name)).join('\n'), folder)
}

/** The root script that starts packages of the workspace, and its filters. */
function rootFilters(root: string): {readonly script: string; readonly filters: readonly string[]} {
  const scripts = mapOf(readPackage(root)?.['scripts'])
  const script = SCRIPTS.find(name => /\bturbo\b|\s(?:--filter|-F|--scope)\b/.test(textValue(scripts[name]))) ?? ''
  const found = textValue(scripts[script]).matchAll(/\s(?:--filter|-F|--scope)[= ]["']?([^\s"']+)/g)
  return {script, filters: Array.from(found, ([, filter = '']) => filter)}
}

/** Apps that the root script leaves out get a profile, and come last: the others keep their ports. Filters by more than a name or a path count for nothing. */
export function withRootFilter(
  apps: readonly ImportedApp[],
  root: string
): {readonly apps: readonly ImportedApp[]; readonly notes: readonly string[]} {
  const {script, filters} = rootFilters(root)
  const isIn = ({folder, id}: ImportedApp): boolean => {
    const name = textValue(readPackage(folder)?.['name']) || id
    const names = [name, name.replace(/^@[^/]*\//, ''), relative(root, folder)].map(each => join(root, each))
    const globs = filters.flatMap(filter => compileGlob(filter.replace(/^\{([^,]*)\}$/, '$1'), root))
    return globs.some(glob => names.some(each => glob.matches(each)))
  }
  const packages = new Set(packagesOf(root).map(([, folder]) => folder))
  const others = apps.filter(each => !isIn(each) && packages.has(each.folder))
  if (filters.some(each => /[!^[]|\.\.\./.test(each)))
    return {apps, notes: [`the root script ${script} has ${filters.join(' ')}: here each package starts`]}
  const started = apps.filter(each => !others.includes(each)).map(each => (isIn(each) ? asNamed(each) : each))
  return apps.some(isIn) ? withOthers(started, others, script) : {apps, notes: []}
}

const asNamed = (app: ImportedApp): ImportedApp => ({...app, keys: given({...app.keys, profiles: undefined})})

/** Apps that the root script starts, and others of the workspace, which get a profile. */
export function withOthers(
  started: readonly ImportedApp[],
  others: readonly ImportedApp[],
  script = 'dev'
): {readonly apps: readonly ImportedApp[]; readonly notes: readonly string[]} {
  if (others.length === 0) return {apps: started, notes: []}
  const ids = others.map(({id}) => id).join(', ')
  return {
    apps: [...started, ...others.map(app => ({...app, keys: {...app.keys, profiles: ['others']}}))],
    notes: [`${ids}: the root script ${script} does not start them: --profile others does`]
  }
}

/** A note on another script of the packages that the root script runs: `pnpm -r --parallel testing`. */
export function taskNote(root: string): readonly string[] {
  const scripts = mapOf(readPackage(root)?.['scripts'])
  const line = SCRIPTS.map(name => textValue(scripts[name])).find(Boolean) ?? ''
  const [, task] =
    /^(?:pnpm|yarn|bun) .*-r(?:ecursive)?\b.*\s(?!(?:(?:start:)?dev|start|serve)$)([\w:.-]+)$/.exec(line) ?? []
  return task === undefined ? [] : [`the root script runs ${task} of packages: here each runs dev or start`]
}

/** Notes on tasks that turbo runs before the scripts of apps: `^build` of the packages that they need. */
export function turboNotes(apps: readonly ImportedApp[], root: string): readonly string[] {
  const {tasks: own, pipeline} = jsonOf(root, 'turbo.json')
  const all = mapOf(own ?? pipeline)
  const before = apps.flatMap(({keys, folder}) => {
    const [, word = '', script = ''] = textsOf(keys['command'])
    const tasks = [script, `${textValue(readPackage(folder)?.['name'])}#${script}`]
    return word === 'run' ? tasks.flatMap(each => textsOf(mapOf(all[each])['dependsOn'])) : []
  })
  const names = [...new Set(before.map(each => each.replace(/^\^|^.*#/, '')))]
  return names.length === 0
    ? []
    : [`turbo runs ${names.join(', ')} first: ${execOf(root).join(' ')} turbo run ${names.join(' ')}`]
}
