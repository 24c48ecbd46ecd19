import {existsSync} from 'node:fs'
import {basename, dirname, join, relative} from 'node:path'
import {UserError} from '../../../model/errors.ts'
import {importServices} from '../compose/compose.ts'
import {withoutVariables, type Imported, type ImportedApp} from '../imported.ts'
import {isFolder} from '../reading/files.ts'
import {servicesOf} from './workloads.ts'
import {readManifests} from './manifests.ts'

/** Manifests of Kubernetes by themselves, a file or a folder: their images are not built here. Throws a `UserError` if they start nothing. */
export function importManifests(path: string, cwd: string): Imported {
  const root = isFolder(path) ? path : dirname(path)
  const shownAs = relative(cwd, path) || '.'
  const {objects, notes} = readManifests([path], root, cwd)
  const {services, notes: notesOf, others} = servicesOf(objects, new Map(), root)
  if (Object.keys(services).length === 0)
    throw new UserError(`cannot import ${shownAs}: it has no workload`, {explanation: notes.join('\n')})
  const file = {path: root === path ? join(root, 'manifests') : path, shownAs, text: ''}
  const imported = importServices({file, values: {services}, notes: notesOf, from: basename(path)})
  return {...imported, notes: [...notes, ...others, ...imported.notes]}
}

/** Folders in which projects keep their manifests. */
const FOLDERS =
  'k8s kubernetes kubernetes-manifests manifests .k8s deploy/kubernetes deploy deploy/k8s deployment infra/k8s infra/kubernetes'

/** Returns the apps of a folder with the facts of its manifests, and further containers; undefined if no manifest runs one of the apps. */
export function withManifests(
  apps: readonly ImportedApp[],
  root: string,
  cwd: string
): Pick<Imported, 'apps' | 'notes' | 'interpolate' | 'common'> | undefined {
  const {objects, notes} = readManifests(
    FOLDERS.split(' ').filter(each => existsSync(join(root, each))),
    root,
    cwd
  )
  const builds = new Map(apps.map(({folder}) => [`./${basename(folder)}`, {folder}]))
  const {services, notes: notesOf, others} = servicesOf(objects, builds, root)
  if (!Object.values(services).some(({build}) => build !== undefined)) return undefined
  const file = {path: join(root, 'manifests'), shownAs: 'manifests', text: ''}
  const imported = importServices({file, values: {services}, notes: notesOf, from: ''})
  const folders = new Set(imported.apps.map(({folder}) => folder))
  const alone = apps.filter(({folder}) => folder === root || !folders.has(folder))
  return {
    ...imported,
    apps: [...imported.apps, ...(imported.interpolate === undefined ? alone : alone.map(withoutVariables))],
    notes: [...notes, ...others, ...imported.notes]
  }
}
