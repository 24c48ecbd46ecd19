import {join} from 'node:path'
import type {Test} from 'tap'
import {objectsOf, type KubernetesObject, type TemplateObjects} from '../object.ts'
import {templateObjects, type ObjectsOptions} from '../objects.ts'
import {UserError} from '../../../model/errors.ts'
import {loadTemplate} from '../../../files/config/load.ts'
import {openShop, type Files} from '../../../../test/unit/files/config/shop.ts'

export interface Setting extends Partial<ObjectsOptions> {
  readonly files?: Files
  readonly env?: Readonly<Record<string, string>>
  readonly profiles?: readonly string[]
  /** A second file of the template. */
  readonly overlay?: string
}

/** The objects of a template in a folder called `shop`. */
export async function objectsIn(
  t: Test,
  yaml: string,
  {files = {}, env = {}, profiles = [], overlay = '', ...options}: Setting = {}
): Promise<TemplateObjects> {
  const folder = openShop(t, `name: shop\n${yaml}`, files)
  const home = join(folder, 'home')
  const around = {cwd: folder, home, env, readStdin: () => ''}
  const loaded = await loadTemplate(overlay === '' ? '.' : ['dapr.yaml', overlay], around, {watch: false, profiles})
  return templateObjects(loaded, {home, cwd: folder, ...options})
}

/** All of them, in the order in which they are made. */
export const allOf = ({resources, apps}: TemplateObjects): readonly KubernetesObject[] => [
  ...resources.map(({object}) => object),
  ...apps.flatMap(objectsOf)
]

/** The error of a template that cannot be deployed. */
export async function refusal(t: Test, yaml: string, setting: Setting = {}): Promise<UserError> {
  try {
    await objectsIn(t, yaml, setting)
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('the template was accepted')
}

/** A template of the app `orders` with an image; the lines come into its entry, the first of them is line 7. */
export const orders = (...lines: readonly string[]): string =>
  [
    'version: 1',
    'apps:',
    '  - appID: orders',
    '    appDirPath: ./orders',
    '    containerImage: registry.example/orders:1',
    ...lines.map(line => `    ${line}`),
    ''
  ].join('\n')

/** The same with lines in `common`. */
export const withCommon = (common: readonly string[], ...lines: readonly string[]): string =>
  orders(...lines).replace('apps:', () => ['common:', ...common.map(line => `  ${line}`), 'apps:'].join('\n'))
