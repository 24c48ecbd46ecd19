// Skaffold: images that are built here, and the manifests that run them (skaffold.dev/docs/references/yaml).
import {existsSync} from 'node:fs'
import {basename, dirname, join, resolve} from 'node:path'
import {importServices} from '../compose/compose.ts'
import {readImported} from '../find-source.ts'
import {appsIn} from '../folder/folder.ts'
import {foldersIn} from '../reading/files.ts'
import {type Imported, type ImportedFile} from '../imported.ts'
import {imageName, imagesAlone, servicesOf, type Builds} from './workloads.ts'
import {readManifests} from './manifests.ts'
import {servicePorts, withForwards, type ManifestObject} from './service-ports.ts'
import {documentsOf, given, listedValues, mapOf, textValue, textsOf, type Values} from '../reading/yaml-file.ts'

/** The apps that a skaffold.yaml builds and deploys. Throws a `UserError` for a broken file, or without a readable deployment. */
export function importSkaffold(file: ImportedFile, cwd: string): Imported {
  const root = dirname(file.path)
  const found = configOf(file, cwd, new Set())
  const {objects, notes} = readManifests(found.manifests, root, cwd)
  const folders = foldersIn(root).filter(each => appsIn(each).length > 0)
  const named = folders.map(folder => [`./${basename(folder)}`, {folder}] as const)
  const {services, notes: notesOf, others} = servicesOf(objects, new Map([...found.builds, ...named]), root)
  const forwarded = documentsOf(file)
    .flatMap(each => listedValues(each['portForward']))
    .map(mapOf)
    .reduce<Readonly<Record<string, Values>>>(
      (known, {resourceName, port, localPort}) =>
        withForwards(known, textValue(resourceName), [
          {
            here: textValue(localPort) || textValue(port),
            inside: serviceTarget(objects, textValue(resourceName), textValue(port))
          }
        ]),
      services
    )
  const all = {...forwarded, ...Object.fromEntries(imagesAlone(found.builds, services, root))}
  const imported = importServices({file, values: {services: all}, notes: notesOf, from: basename(file.path)})
  return {...imported, notes: [...found.notes, ...notes, ...others, ...imported.notes]}
}

/** The port of a container that the port of its Service leads to. */
function serviceTarget(objects: readonly ManifestObject[], name: string, port: string): string {
  const services = objects.filter(
    ({values}) => values['kind'] === 'Service' && mapOf(values['metadata'])['name'] === name
  )
  const ports = services.flatMap(({values}) => servicePorts(values, {}))
  return ports.find(({called}) => called === port)?.target ?? port
}

interface Config {
  readonly builds: Builds
  /** Paths and globs, absolute. */
  readonly manifests: readonly string[]
  readonly notes: readonly string[]
}

function configOf(file: ImportedFile, cwd: string, seen: Set<string>): Config {
  seen.add(file.path)
  const folder = dirname(file.path)
  const parts = documentsOf(file)
    .flatMap(each => [each, ...profilesOfDev(each)])
    .map(each => configIn(each, folder))
  const required = documentsOf(file)
    .flatMap(each => listedValues(each['requires']))
    .flatMap(each => textValue(mapOf(each)['path']) || [])
    .map(path => resolve(folder, /\.ya?ml$/.test(path) ? path : join(path, 'skaffold.yaml')))
    .filter(path => !seen.has(path))
  const all = [...required.map(path => configOf(readImported(path, cwd), cwd, seen)), ...parts]
  return {
    builds: new Map(all.flatMap(({builds}) => [...builds])),
    manifests: all.flatMap(({manifests}) => manifests),
    notes: all.flatMap(({notes}) => notes)
  }
}

/** The profiles that `skaffold dev` takes by itself. */
const profilesOfDev = ({profiles}: Values): readonly Values[] =>
  listedValues(profiles)
    .map(mapOf)
    .filter(each => listedValues(each['activation']).some(one => mapOf(one)['command'] === 'dev'))

function configIn({build, deploy, manifests}: Values, folder: string): Config {
  const builds = listedValues(mapOf(build)['artifacts']).map(artifact => {
    const each = mapOf(artifact)
    const {dockerfile, target, buildArgs: args} = mapOf(each['docker'])
    const own = {folder: contextOf(each, folder), ...given({dockerfile, target, args})}
    return [imageName(textValue(each['image'])), own] as const
  })
  const kustomize = [mapOf(mapOf(deploy)['kustomize']), mapOf(mapOf(manifests)['kustomize'])]
  const named = [
    ...textsOf(mapOf(manifests)['rawYaml']),
    ...textsOf(mapOf(mapOf(deploy)['kubectl'])['manifests']),
    ...kustomize.flatMap(each => textsOf(each['paths']))
  ]
  const hasHelm = 'helm' in mapOf(deploy) || 'helm' in mapOf(manifests)
  const usual = named.length === 0 && !hasHelm && builds.length > 0 ? ['k8s/*.yaml'] : []
  return {
    builds: new Map(builds),
    manifests: [...named, ...usual].filter(each => !/^https?:/.test(each)).map(each => resolve(folder, each)),
    notes: hasHelm ? ['helm: charts are not read: their ports and environment are missing'] : []
  }
}

/** Jib builds a module without a Dockerfile: its folder, or that of the file which names it. */
function contextOf({context, jib}: Values, folder: string): string {
  const whole = resolve(folder, textValue(context) || '.')
  if (jib === undefined) return whole
  const module = resolve(whole, textValue(mapOf(jib)['project']).replace(/^:/, '') || '.')
  return module !== whole && existsSync(module) ? module : appsIn(folder).length > 0 ? folder : whole
}
