import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Test} from 'tap'
import {componentType} from '../../../../src/dapr/components/block-types.ts'
import type {AppResources} from '../../../../src/files/resources/app-resources.ts'
import {ResourceStore} from '../../../../src/files/resources/resource-store.ts'
import type {MovedPorts} from '../../../../src/model/moved-ports.ts'

interface Scene {
  readonly folder: string
  readonly store: ResourceStore
  readonly warnings: string[]
  /** Of an app whose resources are in `r` and whose Configuration is `config.yaml`. */
  readonly open: (id?: string) => Promise<AppResources>
  readonly write: (path: string, text: string) => void
}

/** A store of the resources in a folder of this test. */
export const scene = (
  t: Test,
  files: Record<string, string>,
  env: Record<string, string> = {},
  movedPorts?: MovedPorts
): Scene => {
  const folder = t.testdir({r: {}})
  const write = (path: string, text: string): void => writeFileSync(join(folder, path), text)
  for (const [path, text] of Object.entries(files)) write(path, text)
  const warnings: string[] = []
  const reporter = {warn: (code: string, text: string): void => void warnings.push(`${code} ${text}`)}
  const store = new ResourceStore({env, cwd: folder, reporter, types: async () => componentType, movedPorts})
  const resources = {
    folders: [join(folder, 'r'), join(folder, 'none')],
    configFile: join(folder, 'config.yaml'),
    defaultFolder: '/home/.dapr'
  }
  return {folder, store, warnings, write, open: async (id = 'shop') => store.open({id, resources})}
}
