// The files of Kubernetes' manifests, by globs and by kustomize.
import {basename, dirname, join, resolve} from 'node:path'
import {compileGlob} from '../../../model/glob.ts'
import {messageOf} from '../../../model/errors.ts'
import {readImported} from '../find-source.ts'
import type {ImportedFile} from '../imported.ts'
import type {ManifestObject} from './service-ports.ts'
import {entriesOf, isFile, isFolder, isLink, textAt} from '../reading/files.ts'
import {documentsOf, listedValues, mapOf, textValue, textsOf, variablePairs, type Values} from '../reading/yaml-file.ts'

const MAX_FILES = 500
const KUSTOMIZATIONS = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']
/** Keys of kustomize that change its resources. */
const CHANGES = 'patches patchesStrategicMerge patchesJson6902 helmCharts namePrefix nameSuffix images'.split(' ')

/** Reads the files and folders that are named; names may have wildcards, and count from `root`. The notes name unreadable parts. */
export function readManifests(
  names: readonly string[],
  root: string,
  cwd: string
): {readonly objects: readonly ManifestObject[]; readonly notes: readonly string[]} {
  const objects: ManifestObject[] = []
  const notes: string[] = []
  const seen = new Set<string>()
  const read = (path: string): void => {
    if (seen.has(path) || seen.size >= MAX_FILES) return
    seen.add(path)
    const kustomization = KUSTOMIZATIONS.map(name => join(path, name)).find(isFile)
    if (kustomization !== undefined) return read(kustomization)
    if (isFolder(path)) {
      for (const each of entriesOf(path)) if (/\.ya?ml$/.test(each)) read(join(path, each))
      return
    }
    try {
      const file = readImported(path, cwd)
      for (const values of documentsOf(file))
        if (KUSTOMIZATIONS.includes(basename(path))) readKustomization(values, file)
        else
          for (const each of values['kind'] === 'List' ? listedValues(values['items']).map(mapOf) : [values])
            if (typeof each['kind'] === 'string') objects.push({values: each, file})
    } catch (error) {
      notes.push(messageOf(error).replaceAll(/^cannot import |\n[^]*/g, ''))
    }
  }
  const readKustomization = (values: Values, file: ImportedFile): void => {
    for (const each of [...textsOf(values['bases']), ...textsOf(values['resources']), ...textsOf(values['components'])])
      if (/^https?:|^git|github\.com/.test(each)) notes.push(`${file.shownAs}: ${each} is elsewhere, and not read`)
      else read(resolve(dirname(file.path), each))
    objects.push(...generated(values, file, notes))
    const left = CHANGES.filter(key => key in values)
    if (left.length > 0) notes.push(`${file.shownAs}: ${left.join(', ')} is not carried over`)
  }
  for (const name of names) for (const path of matching(name, root)) read(path)
  return {objects, notes}
}

/** ConfigMaps and Secrets that kustomize makes of literals, and ConfigMaps of files of variables: a template is shared. */
function generated(values: Values, file: ImportedFile, notes: string[]): readonly ManifestObject[] {
  return (['configMapGenerator', 'secretGenerator'] as const).flatMap(key =>
    listedValues(values[key])
      .map(mapOf)
      .map(each => {
        const kind = key === 'secretGenerator' ? 'Secret' : 'ConfigMap'
        const [name, files] = [textValue(each['name']), [...textsOf(each['envs']), ...textsOf(each['env'])]]
        if (kind === 'Secret' && files.length > 0)
          notes.push(`${file.shownAs}: the Secret ${name} is made of ${files.join(', ')}: name it as envFile`)
        // in a file quotes and # belong to a value, around a literal quotes do not (kustomize, package kv)
        const read = kind === 'Secret' ? [] : files.map(env => textAt(resolve(dirname(file.path), env)))
        const lines = read.flatMap(text => text.split(/\r?\n/)).map(line => line.trimStart())
        const literals = textsOf(each['literals']).map(text => text.replace(/^([^=]+=)(["'])(.*)\2$/s, '$1$3'))
        const all = [...lines.filter(line => /^[^#]/.test(line)), ...literals]
        // as plain texts, also those of a Secret
        return {values: {kind, metadata: {name}, stringData: variablePairs(all)}, file}
      })
  )
}

/** The paths that a name with wildcards means; `**` does not follow links to folders, which may lead to themselves. */
function matching(name: string, root: string): readonly string[] {
  if (!/[*?[{]/.test(name)) return [resolve(root, name)]
  const isDeep = name.includes('**')
  return compileGlob(name, root).flatMap(glob => {
    const search = (folder: string): readonly string[] =>
      entriesOf(folder).flatMap(each => {
        const path = join(folder, each)
        if (!isFolder(path)) return glob.matches(path) && /\.(?:ya?ml|json)$/.test(each) ? [path] : []
        const isLeft = /^(?:\.|node_modules$)/.test(each) || (isDeep && isLink(path))
        return !isLeft && glob.canMatchIn(path) ? search(path) : []
      })
    return search(glob.base)
  })
}
