import {objectsOf, type KubernetesObject, type TemplateObjects} from './object.ts'
import {yamlText} from './yaml-text.ts'

/** A file of an export: its name, its text, and whether only its owner may read it. */
export interface ExportFile {
  readonly name: string
  readonly text: string
  readonly isSecret: boolean
}

/** The first line of each file: by it the next export knows which files are its own. */
export const HEADER = '# Written by pillion export kubernetes: the next export overwrites it.\n'

const documents = (objects: readonly KubernetesObject[]): string => objects.map(yamlText).join('---\n')

/** The objects as files that `kubectl apply -f` takes in the order of their names: resources, then apps in start order. */
export function kubernetesFiles({resources, apps}: TemplateObjects): readonly ExportFile[] {
  const digits = Math.max(2, apps.length.toString().length)
  const file = (index: number, name: string, objects: readonly KubernetesObject[], isSecret = false): ExportFile => ({
    name: `${index.toString().padStart(digits, '0')}-${name}.yaml`,
    text: HEADER + documents(objects),
    isSecret
  })
  const first =
    resources.length === 0
      ? []
      : [
          file(
            0,
            'resources',
            resources.map(({object}) => object)
          )
        ]
  return [
    ...first,
    ...apps.flatMap((app, index) => [
      ...(app.secret === undefined ? [] : [file(index + 1, `${app.id}-env`, [app.secret], true)]),
      file(index + 1, app.id, objectsOf({...app, secret: undefined}))
    ])
  ]
}

/** All objects as one text. */
export const kubernetesText = ({resources, apps}: TemplateObjects): string =>
  documents([...resources.map(({object}) => object), ...apps.flatMap(objectsOf)])
