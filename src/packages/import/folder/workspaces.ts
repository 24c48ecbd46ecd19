// Workspaces: programs of `nx serve` (nx.dev/reference/project-configuration), and tasks before a script by turbo.json
// (turborepo.com/docs/reference/configuration).
import {basename, relative} from 'node:path'
import {commandListening} from './command-start.ts'
import type {ImportedApp} from '../imported.ts'
import {execOf, readPackage} from './languages/node.ts'
import {entriesOf, foldersBelow, has, jsonOf, readText} from '../reading/files.ts'
import {listeningIn, type ListensAt} from '../reading/listening.ts'
import {projectApp} from './languages/project.ts'
import {commandOf} from '../reading/shell-words.ts'
import {isMap, mapOf, textsOf, textValue, type Values} from '../reading/yaml-file.ts'

/** The apps of each folder that has a project of Nx; none where a project starts nothing. */
export function nxApps(root: string): ReadonlyMap<string, readonly ImportedApp[]> {
  const workspace = jsonOf(root, 'nx.json')
  const apps = new Map<string, readonly ImportedApp[]>()
  for (const folder of [root, ...foldersBelow(root, 4)]) {
    const project = has(folder, 'project.json') ? jsonOf(folder, 'project.json') : mapOf(readPackage(folder)?.['nx'])
    const isProject = has(folder, 'project.json') || (folder !== root && has(folder, 'package.json'))
    const found = isProject ? appOf(folder, root, project, workspace) : undefined
    if (found !== undefined || has(folder, 'project.json')) apps.set(folder, found === undefined ? [] : [found])
  }
  return apps
}

/** The targets that start a program, best first. */
const TARGETS = ['serve', 'dev', 'start']

function appOf(folder: string, root: string, project: Values, workspace: Values): ImportedApp | undefined {
  const name = textValue(project['name']) || textValue(readPackage(folder)?.['name']) || basename(folder)
  if (project['projectType'] === 'library' || name.endsWith('-e2e')) return undefined
  const targets = mapOf(project['targets'])
  const target = TARGETS.find(each => isMap(targets[each])) ?? inferredTarget(folder, workspace)
  if (target === undefined) return undefined
  const command = [...execOf(root), 'nx', target, name]
  const known = {...mapOf(mapOf(workspace['targetDefaults'])[target]), ...mapOf(targets[target])}
  return {...projectApp(root, {command, ...listening(folder, known, command)}), id: name.replace(/^@[^/]*\//, '')}
}

/** Plugins that make a target of a file of settings, which the project need not name. */
const INFERRED: readonly (readonly [plugin: RegExp, file: RegExp, option: string, usual: string])[] = [
  [/^@nx\/next/, /^next\.config\./, 'devTargetName', 'dev'],
  [/^@nx\/vite/, /^vite\.config\./, 'serveTargetName', 'serve'],
  [/^@nx\/webpack/, /^webpack\.config\./, 'serveTargetName', 'serve'],
  [/^@nx\/rspack/, /^rspack\.config\./, 'serveTargetName', 'serve'],
  [/^@nx\/rsbuild/, /^rsbuild\.config\./, 'devTargetName', 'dev'],
  [/^@nx\/remix/, /^(?:remix|vite)\.config\./, 'devTargetName', 'dev'],
  [/^@nx\/nuxt/, /^nuxt\.config\./, 'serveTargetName', 'serve']
]

function inferredTarget(folder: string, {plugins}: Values): string | undefined {
  const names = entriesOf(folder)
  const hasPage = names.includes('index.html')
  for (const each of Array.isArray(plugins) ? (plugins as readonly unknown[]) : []) {
    const plugin = textValue(each) || textValue(mapOf(each)['plugin'])
    const options = mapOf(mapOf(each)['options'])
    for (const [pattern, file, option, usual] of INFERRED)
      if (pattern.test(plugin) && names.some(name => file.test(name)) && hasPage !== (usual === 'dev'))
        return textValue(options[option]) || usual
  }
  return undefined
}

/** Finds the port of a target; a server for development takes `--port`. */
function listening(folder: string, target: Values, command: readonly string[]): ListensAt {
  const executor = textValue(target['executor'])
  const options = mapOf(target['options'])
  const chosen = mapOf(mapOf(target['configurations'])[textValue(target['defaultConfiguration']) || 'development'])
  const written = Number(chosen['port'] ?? options['port'] ?? 0)
  const lines = [options['command'], options['commands']]
    .flat()
    .map(each => textValue(each) || textValue(mapOf(each)['command']))
  const line = lines.filter(Boolean).join(' && ')
  if (line !== '') {
    const {port, takes} = commandListening(commandOf(line), folder, {})
    return {port, takes: takes === 'PORT' ? takes : undefined}
  }
  if (/dev-server|:server$|^$/.test(executor)) {
    const config = entriesOf(folder).find(name => /^(?:vite|webpack|rspack|rsbuild|nuxt)\.config\./.test(name)) ?? ''
    const usual = executor !== '' ? 4200 : has(folder, 'next.config.js', 'next.config.mjs', 'next.config.ts') ? 3000 : 0
    const configured = Number(/\bport:\s*(\d{4,5})/.exec(readText(folder, config))?.[1] ?? 0)
    return {port: written || configured || usual, takes: {words: at => [...command, `--port=${at}`]}}
  }
  const text = ['src/main.ts', 'src/main.js', 'src/index.ts', 'src/server.ts', 'main.go', 'src/main.rs']
    .map(name => readText(folder, name))
    .join('\n')
  const found = listeningIn(text, folder)
  return {...found, port: written || found.port}
}

/** The root script that starts packages by turbo, and its filters. */
function turboFilters(root: string): {readonly script: string; readonly filters: readonly string[]} {
  const scripts = Object.entries(mapOf(readPackage(root)?.['scripts']))
  const [script = '', line] =
    ['dev', 'start'].flatMap(name =>
      scripts.filter(([each, text]) => each === name && /\bturbo\b/.test(textValue(text)))
    )[0] ?? []
  const found = textValue(line).matchAll(/\s(?:--filter|-F)[= ]["']?([^\s"']+)/g)
  return {script, filters: Array.from(found, ([, filter = '']) => filter)}
}

/** Apps that the root script leaves out get a profile, and come last: the others keep their ports. A filter that follows dependencies or commits counts for nothing. */
export function withTurboFilter(
  apps: readonly ImportedApp[],
  root: string
): {readonly apps: readonly ImportedApp[]; readonly notes: readonly string[]} {
  const {script, filters} = turboFilters(root)
  const [excluded, included] = [true, false].map(isOut => filters.filter(each => each.startsWith('!') === isOut))
  const isIn = ({folder, id}: ImportedApp): boolean => {
    const name = textValue(readPackage(folder)?.['name']) || id
    const names = [name, name.replace(/^@[^/]*\//, ''), `./${relative(root, folder)}`]
    const isNamed = (filter: string): boolean => {
      const pattern = filter.replace(/^!/, '').replace(/^\{(?:\.\/)?(.*)\}$/, './$1')
      const text = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '.*')
      return names.some(each => new RegExp(`^${text}$`).test(each))
    }
    return (included?.length === 0 || included?.some(isNamed) === true) && excluded?.some(isNamed) !== true
  }
  const [started, others] = [apps.filter(isIn), apps.filter(each => !isIn(each))]
  if (filters.some(each => /\.\.\.|\^|\[/.test(each)) || started.length === 0 || others.length === 0)
    return {apps, notes: []}
  const ids = others.map(({id}) => id).join(', ')
  return {
    apps: [...started, ...others.map(app => ({...app, keys: {...app.keys, profiles: ['others']}}))],
    notes: [`${ids}: the root script ${script} leaves them out by --filter: --profile others starts them`]
  }
}

/** Apps with the tasks that turbo runs before their scripts, each task an app that ends. */
export function withTurbo(apps: readonly ImportedApp[], root: string): readonly ImportedApp[] {
  const shared = tasksIn(root)
  const filters = new Map<string, string[]>()
  const started = apps.map(app => {
    const [, word, script = ''] = (app.keys['command'] ?? []) as readonly string[]
    const name = readPackage(app.folder)?.['name']
    if (word !== 'run' || typeof name !== 'string') return app
    const tasks = [shared[script], shared[`${name}#${script}`], tasksIn(app.folder)[script]]
    const task = Object.assign({}, ...tasks.map(mapOf)) as Values
    const needed = textsOf(task['dependsOn']).map(each => taskOf(each, name))
    for (const {task: each, filter} of needed) filters.set(each, [...(filters.get(each) ?? []), filter])
    const ids = [...new Set(needed.map(each => idOf(each.task)))]
    if (ids.length === 0) return app
    return {...app, keys: {...app.keys, dependsOn: Object.fromEntries(ids.map(id => [id, 'completed']))}}
  })
  const before = [...filters].map(([task, names]) => ({
    id: idOf(task),
    folder: root,
    keys: {command: [...execOf(root), 'turbo', 'run', task, ...new Set(names.map(name => `--filter=${name}`))]},
    notes: []
  }))
  return [...before, ...started]
}

/** Reads a task: `^build` of all packages that this one needs, `web#build` of another one, `build` its own. */
function taskOf(typed: string, name: string): {readonly task: string; readonly filter: string} {
  if (typed.startsWith('^')) return {task: typed.slice(1), filter: `${name}^...`}
  const [owner = name, task] = typed.split('#')
  return task === undefined ? {task: typed, filter: name} : {task, filter: owner}
}

const idOf = (task: string): string => `turbo-${task.replaceAll(/[^\w-]/g, '-')}`

/** The tasks of a turbo.json; none if it is not there. */
function tasksIn(folder: string): Values {
  const {tasks, pipeline} = jsonOf(folder, 'turbo.json')
  return isMap(tasks) ? tasks : mapOf(pipeline)
}
