// Tilt: the resources that Tilt itself finds in a Tiltfile (tilt alpha tiltfile-result; Tilt's internal/cli/tiltfile_result.go and pkg/model).
import {basename, dirname, relative} from 'node:path'
import {importServices} from '../compose/compose.ts'
import {readProject} from '../compose/files.ts'
import {variablesFiles} from '../compose/project.ts'
import {shellQuoted} from '../../../model/shell-quoted.ts'
import {readImported} from '../find-source.ts'
import {commandStart} from '../folder/command-start.ts'
import {pathTo, unreadable, withoutVariables, type Imported, type ImportedApp, type ImportedFile} from '../imported.ts'
import {withForwards, type Forward} from '../kubernetes/service-ports.ts'
import {servicesOf, type ImageBuild} from '../kubernetes/workloads.ts'
import {isFolder, textAt} from '../reading/files.ts'
import {jsonValues, type RunTool} from '../reading/other-tool.ts'
import {commandOf} from '../reading/shell-words.ts'
import * as yaml from '../reading/yaml-file.ts'

const {given, listedValues, mapOf, textsOf, textValue} = yaml
type Values = yaml.Values

/** The apps of a Tiltfile. Rejects with a `UserError` if Tilt fails, or starts nothing. */
export async function importTiltfile(file: ImportedFile, cwd: string, run: RunTool): Promise<Imported> {
  const root = dirname(file.path)
  const command = ['tilt', 'alpha', 'tiltfile-result', '--file', file.path]
  const tool = {name: 'Tilt (docs.tilt.dev/install.html)', of: file.shownAs, command, folder: root}
  const result = jsonValues(await run(tool), tool)
  const resources = listedValues(result['Manifests']).map(each => resourceOf(mapOf(each), result))
  const objects = resources.flatMap(({target, name}) => {
    const own = {path: file.path, shownAs: `${file.shownAs} (${name})`, text: textValue(target['yaml'])}
    return yaml.documentsOf(own).map(values => ({values, file: own}))
  })
  const {
    services,
    notes: notesOf,
    files,
    others
  } = servicesOf(objects, new Map(resources.flatMap(each => buildsOf(each, textsOf(result['ConfigFiles'])))), root)
  // a workload has the name of its Service, a resource that of its object
  const idsOf = (name: string): readonly string[] => [
    idOf(name),
    ...[...files].flatMap(([id, {shownAs}]) => (shownAs === `${file.shownAs} (${name})` ? [id] : []))
  ]
  const forwarded = resources.reduce<Values>(
    (all, {name, target}) => idsOf(name).reduce((each, id) => withForwards(each, id, forwardsOf(target)), all),
    services
  )
  const specs = resources.map(({target}) => mapOf(target['Spec'])).filter(spec => 'service' in spec)
  const projects = new Map(specs.map(({project}) => [JSON.stringify(project), mapOf(project)]))
  const composed = Array.from(projects.values(), ({configPaths, yaml: text}) => {
    const [own, ...over] = textsOf(configPaths).map(path => readImported(path, cwd))
    const first = own ?? {...file, text: textValue(text)}
    return {...readProject(first, over, cwd, root), file: first}
  })
  const values = composed.reduce<Values>((all, each) => yaml.mergedValues(all, each.values), {services: forwarded})
  const wanted = new Set([...Object.keys(services), ...specs.map(({service}) => textValue(service))])
  const kept = Object.entries(mapOf(values['services'])).filter(([id]) => wanted.has(id))
  const notes = new Map([...notesOf, ...composed.flatMap(each => [...each.notes])])
  const envs = composed.flatMap(each => [...variablesFiles(each.file), ...each.envs])
  const from = basename(file.path)
  const imported =
    kept.length === 0
      ? undefined
      : importServices({file, values: {...values, services: Object.fromEntries(kept)}, notes, envs, from})
  const local = resources.flatMap(localApps)
  const apps = [...(imported?.apps ?? []), ...(imported?.interpolate ? local.map(withoutVariables) : local)]
  if (apps.length === 0) throw unreadable(file, 'Tilt starts nothing of it', 0)
  const known = new Set(apps.map(({id}) => id))
  const withNeeds = (app: ImportedApp): ImportedApp => {
    const needs = resources.filter(({name}) => idsOf(name).includes(app.id)).flatMap(each => each.needs)
    const needed = resources
      .filter(({name}) => needs.includes(name))
      .flatMap(each => idsOf(each.name).map(id => [id, isEnding(each) ? 'completed' : 'ready'] as const))
      .filter(([id]) => known.has(id) && id !== app.id)
    const dependsOn = {...Object.fromEntries(needed), ...mapOf(app.keys['dependsOn'])}
    return needed.length === 0 ? app : {...app, keys: {...app.keys, dependsOn}}
  }
  return {...imported, from, apps: apps.map(withNeeds), notes: [...others, ...(imported?.notes ?? [])]}
}

/** A resource of Tilt: a local command, objects of Kubernetes, or a service of compose. */
interface Resource {
  readonly name: string
  readonly target: Values
  readonly images: readonly Values[]
  readonly needs: readonly string[]
  /** Tilt starts it on demand. */
  readonly isManual: boolean
}

const idOf = (name: string): string => name.replaceAll(/[^\w.-]/g, '-')

function resourceOf(each: Values, {EnabledManifests: enabled}: Values): Resource {
  const name = textValue(each['Name'])
  // 2 and 3 are manual (pkg/model/trigger_mode.go)
  const isManual = ['2', '3'].includes(textValue(each['TriggerMode']))
  return {
    name,
    target: mapOf(each['DeployTarget']),
    images: listedValues(each['ImageTargets']).map(mapOf),
    needs: textsOf(each['ResourceDependencies']),
    isManual: isManual || (Array.isArray(enabled) && !textsOf(enabled).includes(name))
  }
}

/** The images that it builds, by name. Tilt keeps the text of a Dockerfile, not its path. */
const buildsOf = ({images}: Resource, files: readonly string[]): readonly (readonly [image: string, ImageBuild])[] =>
  images.flatMap(({selector, overrideCommand, BuildDetails: details}) => {
    const {context, dockerfileContents: text, target, args, Deps: deps} = mapOf(details)
    const folder = textValue(context) || (textsOf(deps).find(isFolder) ?? '')
    if (folder === '') return []
    const dockerfile = files.find(path => path.startsWith('/') && textAt(path) !== '' && textAt(path) === text)
    const entrypoint = mapOf(overrideCommand)['command']
    const own = {dockerfile: dockerfile && relative(folder, dockerfile), target, args, entrypoint}
    return [[textValue(selector), {folder, ...given(own)}] as const]
  })

/** The ports that Tilt forwards to a workload. */
const forwardsOf = (target: Values): readonly Forward[] =>
  listedValues(mapOf(target['portForwardTemplateSpec'])['forwards'])
    .map(mapOf)
    .filter(({localPort}) => localPort !== undefined)
    .map(({localPort, containerPort}) => ({
      here: textValue(localPort),
      inside: textValue(containerPort).replace(/^0$/, '')
    }))

/** The app of a local resource. A first command runs before each start of the served one: a save that restarts the app builds it, too. */
function localApps({name, target, isManual}: Resource): readonly ImportedApp[] {
  const [update, serve] = [mapOf(target['UpdateCmdSpec']), mapOf(target['ServeCmd'])]
  const [first, served] = [wordsOf(update['args']), wordsOf(serve['Argv'])]
  const isServing = served.length > 0
  if (!isServing && first.length === 0) return []
  const folder = textValue(isServing ? serve['Dir'] : update['dir'])
  const {httpGet, tcpSocket} = mapOf(target['ReadinessProbe'])
  const {path} = mapOf(httpGet)
  const paths = textsOf(target['Deps']).map(each => pathTo(each, folder) + (isFolder(each) ? '/**' : ''))
  const env = yaml.variablePairs(textsOf(isServing ? serve['Env'] : update['env']))
  const exact = Number(mapOf(httpGet ?? tcpSocket)['port'] ?? 0)
  const other = Number(LINK.exec(JSON.stringify(listedValues(target['Links'])))?.[1] ?? 0)
  const start = isServing ? commandStart(served, folder, env, {exact, other}) : {keys: {command: first}, notes: []}
  const isBoth = isServing && first.length > 0
  const keys = given({
    ...start.keys,
    ...(isBoth && {command: inOrder(update, textsOf(start.keys['command']), folder)}),
    env: Object.keys(env).length > 0 ? env : undefined,
    ready: isServing && path !== undefined ? {http: textValue(path).replace(/^\/?/, '/')} : undefined,
    watch: paths.length > 0 ? {paths} : undefined,
    profiles: isManual ? ['manual'] : undefined
  })
  return [{id: idOf(name), folder, keys, notes: start.notes, ...(!isBoth && {move: start.move})}]
}

/** A link to a page of this machine. */
const LINK = /(?:localhost|127\.0\.0\.1):(\d+)/

/** A shell that runs a command to its end, in its folder and with its variables, and then becomes the other one. */
function inOrder({args, dir, env}: Values, served: readonly string[], folder: string): readonly string[] {
  const place = textValue(dir) === folder ? '' : `cd ${shellQuoted(pathTo(textValue(dir), folder))} && `
  const variables = textsOf(env).map(each => `export ${shellQuoted(each)} && `)
  const line = [...variables, wordsOf(args).map(shellQuoted).join(' ')].join('')
  return ['sh', '-c', `(${place}${line}) && exec ${served.map(shellQuoted).join(' ')}`]
}

/** Tilt gives the lines of a Tiltfile to a shell. */
const wordsOf = (argv: unknown): readonly string[] => {
  const words = textsOf(argv)
  return words.length === 3 && words[0] === 'sh' && words[1] === '-c' ? commandOf(words[2] ?? '') : words
}

/** Whether a resource runs a command and ends. */
const isEnding = ({target}: Resource): boolean =>
  'yaml' in target
    ? /^kind: *["']?Job\b/m.test(textValue(target['yaml']))
    : 'UpdateCmdSpec' in target && textsOf(mapOf(target['ServeCmd'])['Argv']).length === 0
