import {
  objectsOf,
  listText,
  objectName,
  type CheckedChanges,
  type ClusterAccess,
  type TemplateObjects
} from '#kubernetes'

/** `Deployment "shop" created (dry run)`: one line for each object. */
export function changesText({changes, surplus}: CheckedChanges): string {
  const all = [
    ...changes.map(({object, outcome}) => `${objectName(object)} ${outcome}`),
    ...surplus.map(object => `${objectName(object)} deleted`)
  ]
  return all.map(line => `${line} (dry run)\n`).join('')
}

/** Returns the changes as `kubectl diff` prints them, without the values of Secrets; '' if there are none. */
export async function diffText(
  {kubectl}: ClusterAccess,
  {resources, apps}: TemplateObjects,
  {surplus}: CheckedChanges
): Promise<string> {
  const objects = [...resources.map(({object}) => object), ...apps.flatMap(objectsOf)]
  const args = ['diff', '--server-side', '--field-manager=pillion', '-f', '-']
  // exit code 1 means that there are differences
  const diff = await kubectl.text(args, {input: listText(objects), accept: [0, 1]})
  const deleted = surplus.map(object => `${objectName(object)} deleted\n`).join('')
  return diff === '' ? deleted : `${diff}\n${deleted}`
}
