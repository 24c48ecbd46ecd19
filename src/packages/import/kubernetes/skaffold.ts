// Skaffold: images that are built here, and the manifests that run them (skaffold.dev/docs/references/yaml).
import {basename, dirname, join, resolve} from 'node:path'
import {importServices} from '../compose/compose.ts'
import {UserError} from '../../../model/errors.ts'
import {readImported} from '../find-source.ts'
import {appsIn} from '../folder/folder.ts'
import {foldersIn, isFolder} from '../reading/files.ts'
import {unreadable, type Imported, type ImportedFile} from '../imported.ts'
import {buildKeys, imageName, servicesOf, withForwards} from './workloads.ts'
import type {Builds, Forward, ReadServices} from './workloads.ts'
import type {ManifestObject} from './objects.ts'
import {readManifests} from './manifests.ts'
import {documentsOf, given, listedValues, mapOf, textValue, textsOf, type Values} from '../reading/yaml-file.ts'

/** The apps that a skaffold.yaml builds and deploys. Throws a `UserError` for a broken file, or without a readable deployment. */
export function importSkaffold(file: ImportedFile, cwd: string): Imported {
  const root = dirname(file.path)
  const {builds: alone, manifests, notes} = configOf(file, cwd, new Set())
  const {objects, notes: unread} = readManifests(manifests, root, cwd)
  const builds = new Map([...alone, ...projectsIn(root)])
  const forwards = documentsOf(file)
    .flatMap(each => listedValues(each['portForward']))
    .map(mapOf)
    .map(({resourceName, port, localPort}): Forward => {
      return [textValue(resourceName), textValue(localPort) || textValue(port), textValue(port)]
    })
  const all = {objects, builds, alone, forwards, file, from: basename(file.path), notes: [...notes, ...unread]}
  const imported = importObjects(all)
  if (imported === undefined) throw unreadable(file, 'it has no services', 0)
  return imported
}

/** Manifests by themselves: an image with the name of a folder with a project, there or in `cwd`, is that program. Throws a `UserError` if they start nothing. */
export function importManifests(path: string, shownAs: string, cwd: string): Imported {
  const root = isFolder(path) ? path : dirname(path)
  const {objects, notes} = readManifests([path], root, cwd)
  const file = {path: root === path ? join(root, 'manifests') : path, shownAs, text: ''}
  const builds = new Map([root, cwd].flatMap(projectsIn))
  const imported = importObjects({objects, builds, file, from: basename(path), notes})
  if (imported !== undefined) return imported
  throw new UserError(`cannot import ${shownAs}: it has no workload`, {explanation: notes.join('\n')})
}

/** Objects of Kubernetes, with the images that are built for them. */
interface Workloads {
  readonly objects: readonly ManifestObject[]
  readonly builds: Builds
  /** Images that run even if no workload names them. */
  readonly alone?: Builds
  readonly forwards?: readonly Forward[]
  /** Paths count from its folder. */
  readonly file: ImportedFile
  readonly from: string
  readonly notes: readonly string[]
}

/** The apps of workloads; undefined: there are none. */
export function importObjects(all: Workloads): Imported | undefined {
  const {objects, builds, alone = new Map(), forwards = [], file, from} = all
  const root = dirname(file.path)
  const read = servicesOf(objects, builds, root)
  const idle = imagesAlone(alone, read.services, root)
  const isWhole = objects.length > 0 && !all.notes.includes(CHARTS)
  const {services, notes} = withForwards({...read.services, ...(isWhole ? {} : idle)}, forwards)
  if (isWhole) notes.push(...Object.keys(idle).map(id => `${id}: left out: no manifest runs its image`))
  if (Object.keys(services).length === 0) return undefined
  const imported = importServices({file, hasNoOrder: true, values: {services}, notes: read.notes, from})
  return {...imported, notes: [...all.notes, ...notes, ...read.others, ...imported.notes]}
}

const CHARTS = 'helm: charts are not read: their ports and environment are missing'

/** The projects of a folder as builds of images with their names. */
const projectsIn = (root: string): readonly (readonly [string, {folder: string}])[] =>
  foldersIn(root)
    .filter(each => appsIn(each).length > 0)
    .map(folder => [`./${basename(folder)}`, {folder}])

interface Config {
  readonly builds: Builds
  /** Paths and globs, absolute. */
  readonly manifests: readonly string[]
  readonly notes: readonly string[]
}

/** A file with those that it requires. */
function configOf(file: ImportedFile, cwd: string, seen: Set<string>): Config {
  seen.add(file.path)
  const folder = dirname(file.path)
  const documents = documentsOf(file)
  const required = documents
    .flatMap(each => listedValues(each['requires']))
    .flatMap(each => textValue(mapOf(each)['path']) || [])
    .map(path => resolve(folder, /\.ya?ml$/.test(path) ? path : join(path, 'skaffold.yaml')))
    .filter(path => !seen.has(path))
  const all = [
    ...required.map(path => configOf(readImported(path, cwd), cwd, seen)),
    ...documents.flatMap(each => [each, ...ofDevelopment(each)]).map(each => configIn(each, folder))
  ]
  return {
    builds: new Map(all.flatMap(({builds}) => [...builds])),
    manifests: all.flatMap(({manifests}) => manifests),
    notes: all.flatMap(({notes}) => notes)
  }
}

/** The profiles that skaffold dev takes by itself. */
const ofDevelopment = ({profiles}: Values): readonly Values[] =>
  listedValues(profiles)
    .map(mapOf)
    .filter(({activation}) => listedValues(activation).some(each => mapOf(each)['command'] === 'dev'))

function configIn({build, deploy, manifests}: Values, folder: string): Config {
  const bases: string[] = []
  const builds = listedValues(mapOf(build)['artifacts']).map(artifact => {
    const {image, context, docker, jib, requires} = mapOf(artifact)
    for (const each of listedValues(requires)) bases.push(imageName(textValue(mapOf(each)['image'])))
    const {dockerfile, target, buildArgs: args} = mapOf(docker)
    // Jib builds a module without a Dockerfile
    const module = resolve(folder, textValue(context), textValue(mapOf(jib)['project']).replace(/^:/, '') || '.')
    const own = {folder: isFolder(module) ? module : folder, ...given({dockerfile, target, args})}
    return [imageName(textValue(image)), own] as const
  })
  const named = [
    ...textsOf(mapOf(manifests)['rawYaml']),
    ...textsOf(mapOf(mapOf(deploy)['kubectl'])['manifests']),
    ...[deploy, manifests].flatMap(each => textsOf(mapOf(mapOf(each)['kustomize'])['paths']))
  ]
  const hasHelm = 'helm' in mapOf(deploy) || 'helm' in mapOf(manifests)
  const usual = named.length === 0 && !hasHelm && builds.length > 0 ? ['k8s/*.yaml'] : []
  return {
    // other images are built of a base, which starts nothing
    builds: new Map(builds.filter(([image]) => !bases.includes(image))),
    manifests: [...named, ...usual].filter(each => !/^https?:/.test(each)).map(each => resolve(folder, each)),
    notes: hasHelm ? [CHARTS] : []
  }
}

/** Images that are built, and that none of these services runs, as services by the last parts of their names. */
function imagesAlone(builds: Builds, services: ReadServices['services'], root: string): ReadServices['services'] {
  const run = new Set(Object.values(services).map(each => JSON.stringify(each['build'])))
  const all = Array.from(builds, ([image, build]) => ({image, build: buildKeys(build, root)}))
  const alone = all.filter(({build}) => !run.has(JSON.stringify(build)))
  return Object.fromEntries(alone.map(each => [basename(each.image), each]))
}
