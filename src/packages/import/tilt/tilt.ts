// Tilt: the resources that Tilt itself finds in a Tiltfile (tilt alpha tiltfile-result; Tilt's internal/cli/tiltfile_result.go and pkg/model).
import {basename, dirname} from 'node:path'
import {shellQuoted} from '../../../model/shell-quoted.ts'
import {commandStart} from '../folder/command-start.ts'
import {pathTo, unreadable, withoutVariables, type Imported, type ImportedApp, type ImportedFile} from '../imported.ts'
import {importObjects} from '../kubernetes/skaffold.ts'
import type {Forward} from '../kubernetes/workloads.ts'
import {isFolder} from '../reading/files.ts'
import {jsonValues, type RunTool} from '../reading/other-tool.ts'
import {commandOf} from '../reading/shell-words.ts'
import * as yaml from '../reading/yaml-file.ts'

const {given, listedValues, mapOf, textsOf, textValue} = yaml
type Values = yaml.Values

/** The apps of a Tiltfile. Rejects with a `UserError` if Tilt fails, or starts nothing. */
export async function importTiltfile(file: ImportedFile, run: RunTool): Promise<Imported> {
  const root = dirname(file.path)
  const command = ['tilt', 'alpha', 'tiltfile-result', '--file', file.path]
  const tool = {name: 'Tilt (docs.tilt.dev/install.html)', of: file.shownAs, command, folder: root}
  const result = jsonValues(await run(tool), tool)
  const resources = listedValues(result['Manifests']).map(mapOf)
  const builds = new Map(resources.flatMap(buildsOf))
  const objects = resources.flatMap(each =>
    yaml.documentsOf({...file, text: textValue(targetOf(each)['yaml'])}).map(values => ({values, file}))
  )
  const from = basename(file.path)
  const notes = composed(resources)
  const imported = importObjects({objects, builds, forwards: resources.flatMap(forwardsOf), file, from, notes})
  const enabled = result['EnabledManifests']
  const isOff = (each: Values): boolean => Array.isArray(enabled) && !textsOf(enabled).includes(textValue(each['Name']))
  const local = resources.flatMap(each => localApp(each, isOff(each)))
  const apps = [...(imported?.apps ?? []), ...(imported?.interpolate ? local.map(withoutVariables) : local)]
  if (apps.length === 0) throw unreadable(file, 'Tilt starts nothing of it', 0)
  const kept = apps.map(app => withNeeds(app, resources, new Set(apps.map(({id}) => id))))
  return {...imported, from, apps: kept, notes: imported?.notes ?? notes}
}

const nameOf = (resource: Values): string => textValue(resource['Name']).replaceAll(/[^\w.-]/g, '-')
const targetOf = (resource: Values): Values => mapOf(resource['DeployTarget'])

const buildsOf = ({ImageTargets: images}: Values): readonly (readonly [image: string, {folder: string}])[] =>
  listedValues(images).flatMap(each => {
    const {selector, BuildDetails: details} = mapOf(each)
    const folder = textValue(mapOf(details)['context'])
    return folder === '' ? [] : [[textValue(selector), {folder}] as const]
  })

/** The first port that Tilt forwards to a workload. */
function forwardsOf(resource: Values): readonly Forward[] {
  const all = listedValues(mapOf(targetOf(resource)['portForwardTemplateSpec'])['forwards']).map(mapOf)
  const [{localPort, containerPort} = {}] = all
  return all.length === 0 ? [] : [[nameOf(resource), textValue(localPort), textValue(containerPort)]]
}

/** A note on services of compose files, which another import reads. */
function composed(resources: readonly Values[]): readonly string[] {
  const names = resources.filter(each => 'Spec' in targetOf(each)).map(nameOf)
  return names.length === 0
    ? []
    : [`${names.join(', ')}: of a compose file: name it, too: pillion import Tiltfile FILE`]
}

/** The app of a local resource. A first command runs before each start of the served one: a save builds it, too. */
function localApp(resource: Values, isOff: boolean): readonly ImportedApp[] {
  const {UpdateCmdSpec: first, ServeCmd: serve, Deps: deps, ReadinessProbe: probe} = targetOf(resource)
  const [update, served] = [wordsOf(mapOf(first)['args']), wordsOf(mapOf(serve)['Argv'])]
  if (served.length === 0 && update.length === 0) return []
  const [isServing, isBoth] = [served.length > 0, served.length > 0 && update.length > 0]
  const folder = textValue(isServing ? mapOf(serve)['Dir'] : mapOf(first)['dir'])
  const env = yaml.variablePairs(textsOf(isServing ? mapOf(serve)['Env'] : mapOf(first)['env']))
  const {path, port} = mapOf(mapOf(probe)['httpGet'])
  const start = commandStart(isServing ? served : update, folder, env, {exact: Number(port ?? 0)})
  const whole = (words: readonly string[]): readonly string[] =>
    isBoth ? inOrder(mapOf(first), update, words, folder) : words
  const {takes} = start.listens
  const way = typeof takes === 'object' && 'words' in takes ? {words: (at: string) => whole(takes.words(at))} : takes
  const paths = textsOf(deps).map(each => pathTo(each, folder) + (isFolder(each) ? '/**' : ''))
  const keys = given({
    command: whole(start.command),
    env,
    ready: path === undefined ? undefined : {http: textValue(path).replace(/^\/?/, '/')},
    watch: given({paths}),
    // 2 and 3 start on demand (pkg/model/trigger_mode.go)
    profiles: isOff || /^[23]$/.test(textValue(resource['TriggerMode'])) ? ['manual'] : undefined
  })
  return [{id: nameOf(resource), folder, keys, notes: [], ...(isServing && {listens: {...start.listens, takes: way}})}]
}

const line = (all: readonly string[]): string => all.map(shellQuoted).join(' ')

/** A shell that runs a command to its end, in its folder, and then becomes the other one. */
function inOrder({dir, env}: Values, words: readonly string[], served: readonly string[], folder: string): string[] {
  const place = textValue(dir) === folder ? '' : `cd ${shellQuoted(pathTo(textValue(dir), folder))} && `
  const variables = textsOf(env).map(each => `export ${shellQuoted(each)} && `)
  return ['sh', '-c', `(${place}${variables.join('')}${line(words)}) && exec ${line(served)}`]
}

/** Tilt gives the lines of a Tiltfile to a shell. */
const wordsOf = (argv: unknown): readonly string[] => {
  const words = textsOf(argv)
  return words.length === 3 && words[0] === 'sh' ? commandOf(words[2] ?? '') : words
}

/** An app that waits for the resources that its own one names; commands that end are waited for to their end. */
function withNeeds(app: ImportedApp, resources: readonly Values[], ids: ReadonlySet<string>): ImportedApp {
  const own = resources.find(each => nameOf(each) === app.id)
  const wanted = textsOf(own?.['ResourceDependencies'])
  const needed = resources.filter(each => wanted.includes(textValue(each['Name'])) && ids.has(nameOf(each)))
  if (needed.length === 0) return app
  const waits = needed.map(each => [nameOf(each), isServed(each) ? 'ready' : 'completed'] as const)
  return {...app, keys: {...app.keys, dependsOn: {...mapOf(app.keys['dependsOn']), ...Object.fromEntries(waits)}}}
}

const isServed = (resource: Values): boolean => {
  const {yaml: text, ServeCmd: serve} = targetOf(resource)
  return text === undefined ? textsOf(mapOf(serve)['Argv']).length > 0 : !/^kind: *["']?Job\b/m.test(textValue(text))
}
