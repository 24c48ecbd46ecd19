// The files of Kubernetes' manifests, by globs and by the resources of a kustomization.
import {basename, dirname, join, relative, resolve} from 'node:path'
import {compileGlob} from '../../../model/glob.ts'
import {messageOf} from '../../../model/errors.ts'
import {shellQuoted} from '../../../model/shell-quoted.ts'
import {readImported} from '../find-source.ts'
import type {ImportedFile} from '../imported.ts'
import type {ManifestObject} from './objects.ts'
import {entriesOf, isFile, isFolder, isLink} from '../reading/files.ts'
import {documentsOf, listedValues, mapOf, textsOf, type Values} from '../reading/yaml-file.ts'

const MAX_FILES = 500
const KUSTOMIZATIONS = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']
/** Keys of kustomize that change no workload, or that are read. */
const READ =
  /^(?:apiVersion|kind|metadata|resources|bases|namespace|labels|commonLabels|commonAnnotations|sortOptions)$/

/** Reads the files and folders that are named; names may have wildcards, and count from `root`. The notes name unreadable parts. */
export function readManifests(
  names: readonly string[],
  root: string,
  cwd: string
): {readonly objects: readonly ManifestObject[]; readonly notes: readonly string[]} {
  const objects: ManifestObject[] = []
  const notes: string[] = []
  const changed = new Map<string, readonly string[]>()
  const seen = new Set<string>()
  const read = (path: string): void => {
    if (seen.has(path) || seen.size >= MAX_FILES) return
    seen.add(path)
    const kustomization = KUSTOMIZATIONS.map(name => join(path, name)).find(isFile)
    if (kustomization !== undefined) read(kustomization)
    else if (isFolder(path)) for (const each of entriesOf(path).filter(isYaml)) read(join(path, each))
    else if (isFile(path)) readFile(path)
    else notes.push(`${relative(cwd, path)} is not there`)
  }
  const readFile = (path: string): void => {
    try {
      const file = readImported(path, cwd)
      for (const values of documentsOf(file))
        if (KUSTOMIZATIONS.includes(basename(path))) readKustomization(values, file)
        else {
          const all = values['kind'] === 'List' ? listedValues(values['items']).map(mapOf) : [values]
          objects.push(...all.filter(each => typeof each['kind'] === 'string').map(each => ({values: each, file})))
        }
    } catch (error) {
      notes.push(messageOf(error).replaceAll(/^cannot import |\n[^]*/g, ''))
    }
  }
  const readKustomization = (values: Values, file: ImportedFile): void => {
    const folder = dirname(file.path)
    for (const each of [...textsOf(values['bases']), ...textsOf(values['resources'])])
      if (/^https?:|^git|github\.com/.test(each)) notes.push(`${file.shownAs}: ${each} is elsewhere, and not read`)
      else read(resolve(folder, each))
    const left = Object.keys(values).filter(key => !READ.test(key))
    for (const key of left) changed.set(folder, [...(changed.get(folder) ?? []), key])
  }
  for (const name of names) for (const path of matching(name, root)) read(path)
  const folders = Array.from(changed.keys(), each => shellQuoted(relative(cwd, each) || '.'))
  const keys = [...new Set([...changed.values()].flat())].join(', ')
  const way = `kubectl kustomize ${folders[0] ?? ''} > all.yaml, and import that`
  if (keys !== '') notes.push(`kustomization of ${folders.join(', ')}: ${keys}: not carried over: ${way}`)
  return {objects, notes}
}

const isYaml = (name: string): boolean => /\.ya?ml$/.test(name)

/** The paths that a name with wildcards means. */
function matching(name: string, root: string): readonly string[] {
  if (!/[*?[{]/.test(name)) return [resolve(root, name)]
  return compileGlob(name, root).flatMap(glob => {
    const search = (folder: string): readonly string[] =>
      entriesOf(folder).flatMap(each => {
        const path = join(folder, each)
        if (!isFolder(path)) return glob.matches(path) && isYaml(each) ? [path] : []
        return !/^(?:\.|node_modules$)/.test(each) && !isLink(path) && glob.canMatchIn(path) ? search(path) : []
      })
    return search(glob.base)
  })
}
