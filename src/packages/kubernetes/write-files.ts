import {existsSync, readdirSync, rmSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {stringify} from 'yaml'
import {codeOf, messageOf, UserError} from '../../model/errors.ts'
import {orElse} from '../../model/or-else.ts'
import {readTextBytes, utf8Text} from '../../model/read-file.ts'
import {makeFolder, writeWhole} from '../../platform/make-folder.ts'
import {objectsOf, type KubernetesObject, type TemplateObjects} from './object.ts'

/** A file of an export: its name, its text, and whether only its owner may read it. */
interface ExportFile {
  readonly name: string
  readonly text: string
  readonly isSecret: boolean
}

/** First line of each file, by which a later export recognizes its own files. */
const HEADER = '# Written by pillion export kubernetes: the next export overwrites it.\n'

/** Writes a document of YAML. Texts that YAML 1.1 or 1.2 would read as something else are quoted. */
export const yamlText = (value: unknown): string =>
  stringify(value, {version: '1.2', compat: 'yaml-1.1', lineWidth: 0, aliasDuplicateObjects: false})

const documents = (objects: readonly KubernetesObject[]): string => objects.map(yamlText).join('---\n')

/** Returns the objects as files, whose names are in the order of `kubectl apply -f`: resources, then apps in start order. */
export function kubernetesFiles({resources, apps}: TemplateObjects): readonly ExportFile[] {
  const digits = Math.max(2, apps.length.toString().length)
  const file = (index: number, name: string, objects: readonly KubernetesObject[], isSecret = false): ExportFile => ({
    name: `${index.toString().padStart(digits, '0')}-${name}.yaml`,
    text: HEADER + documents(objects),
    isSecret
  })
  const first = resources.map(({object}) => object)
  return [
    ...(first.length > 0 ? [file(0, 'resources', first)] : []),
    ...apps.flatMap((app, index) => [
      ...(app.secret === undefined ? [] : [file(index + 1, `${app.id}-env`, [app.secret], true)]),
      file(index + 1, app.id, objectsOf({...app, secret: undefined}))
    ])
  ]
}

export const kubernetesText = ({resources, apps}: TemplateObjects): string =>
  documents([...resources.map(({object}) => object), ...apps.flatMap(objectsOf)])

/** Maximum bytes of a file that is read to see whether an export wrote it. */
const MAX_EXPORT_BYTES = 64 * 2 ** 20

/** The names of the files of an export. */
const OUR_NAME = /^\d{2,}-.+\.yaml$/

/**
 * Writes the files of an export into a folder, and removes files of an earlier export. Throws a `UserError`, before writing, for a file
 * that Pillion has not written.
 */
export const writeFiles = (folder: string, files: readonly ExportFile[]): void =>
  telling(() => {
    makeFolder(folder)
    const there = readdirSync(folder).filter(name => OUR_NAME.test(name))
    for (const {name} of files) refuseForeign(join(folder, name), HEADER)
    for (const name of there)
      if (files.every(file => file.name !== name) && isOurs(join(folder, name), HEADER)) rmSync(join(folder, name))
    for (const {name, text, isSecret} of files) writeWhole(join(folder, name), text, isSecret ? 0o600 : 0o666)
  })

/** Writes a file with the first line `header`. Throws a `UserError` if a file exists that Pillion has not written. */
export const writeFile = (path: string, text: string, header: string): void =>
  telling(() => {
    refuseForeign(path, header)
    makeFolder(dirname(path))
    writeWhole(path, text)
  })

const isOurs = (path: string, header: string): boolean =>
  orElse(() => utf8Text(readTextBytes(path, MAX_EXPORT_BYTES)).startsWith(header), false)

function refuseForeign(path: string, header: string): void {
  if (!existsSync(path) || isOurs(path, header)) return
  throw new UserError(`${path} was not written by an export: it is not overwritten`, {
    explanation: 'Remove it, or export to another place.'
  })
}

/** Runs `write`, and turns an error of the file system into a UserError. */
function telling(write: () => void): void {
  try {
    write()
  } catch (error) {
    if (codeOf(error) === '') throw error
    throw new UserError(`the export cannot be written: ${messageOf(error)}`, {cause: error})
  }
}
