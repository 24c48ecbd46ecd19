import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {messageOf} from '../../../model/errors.ts'
import type {AppObjects} from '../object.ts'
import {yamlText} from '../write-files.ts'
import type {DeployFile} from './cluster-event.ts'
import {makeFolder} from '../../../platform/make-folder.ts'

/** Writes what is applied of an app next to it, as Dapr's CLI does; not its secrets. A folder that cannot be written is no failure. `all`: those of one folder have files of their own. */
export function deployFiles(
  {id, service, workload, plan}: AppObjects,
  all: readonly AppObjects[],
  warn: (text: string) => void
): readonly DeployFile[] {
  const folder = join(plan.folder, '.dapr', 'deploy')
  const start = all.some(other => other.id !== id && other.plan.folder === plan.folder) ? `${id}-` : ''
  const objects = [service, workload].filter(object => object !== undefined)
  try {
    makeFolder(folder)
    return objects.map(object => {
      const path = join(folder, `${start}${object.kind.toLowerCase()}.yaml`)
      writeFileSync(path, yamlText(object))
      return {kind: object.kind, path}
    })
  } catch (error) {
    warn(`cannot write what is applied to ${folder}: ${messageOf(error)}`)
    return objects.map(({kind}) => ({kind, path: ''}))
  }
}
