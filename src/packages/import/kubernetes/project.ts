import {existsSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {importServices} from '../compose/compose.ts'
import {unreadable, withoutVariables, type Imported, type ImportedApp, type ImportedFile} from '../imported.ts'
import {servicesOf} from './workloads.ts'
import {readManifests} from './manifests.ts'

/** A manifest of Kubernetes by itself: its images are not built here. Throws a `UserError` if it starts nothing. */
export function importManifest(file: ImportedFile, cwd: string): Imported {
  const root = dirname(file.path)
  const {objects, notes} = readManifests([file.path], root, cwd)
  const {services, notes: notesOf} = servicesOf(objects, new Map(), root)
  if (Object.keys(services).length === 0) throw unreadable(file, 'it has no workload', 0)
  const imported = importServices({file, values: {services}, notes: notesOf, from: basename(file.path)})
  return {...imported, notes: [...notes, ...imported.notes]}
}

/** Folders in which projects keep their manifests. */
const FOLDERS = [
  'k8s',
  'kubernetes',
  'kubernetes-manifests',
  'manifests',
  '.k8s',
  'deploy/kubernetes',
  'deploy',
  'deploy/k8s',
  'deployment',
  'infra/k8s',
  'infra/kubernetes'
]

/**
 * The apps of a folder with the ports and the environment that manifests in it say, and the containers that they need besides;
 * undefined: none of the manifests runs one of them.
 */
export function withManifests(
  apps: readonly ImportedApp[],
  root: string,
  cwd: string
): Pick<Imported, 'apps' | 'notes' | 'interpolate'> | undefined {
  const {objects, notes} = readManifests(
    FOLDERS.filter(each => existsSync(join(root, each))),
    root,
    cwd
  )
  const builds = new Map(apps.map(({folder}) => [`./${basename(folder)}`, {folder}]))
  const {services, notes: notesOf} = servicesOf(objects, builds, root)
  if (!Object.values(services).some(({build}) => build !== undefined)) return undefined
  const file = {path: join(root, 'manifests'), shownAs: 'manifests', text: ''}
  const imported = importServices({file, values: {services}, notes: notesOf, from: ''})
  const folders = new Set(imported.apps.map(({folder}) => folder))
  const others = apps.filter(({folder}) => folder === root || !folders.has(folder))
  return {
    ...imported,
    apps: [...imported.apps, ...(imported.interpolate === undefined ? others : others.map(withoutVariables))],
    notes: [...notes, ...imported.notes]
  }
}
