// Finds the AppHost of Aspire in a folder.
import {basename} from 'node:path'
import {projectFile} from '../folder/languages/dotnet.ts'
import {entriesOf, foldersBelow, readText} from '../reading/files.ts'

/** The files of AppHosts in a folder, or up to three folders below: a project, or a file that is one by itself. */
export const appHostsIn = (root: string): readonly string[] =>
  [root, ...foldersBelow(root, 3)]
    .filter(each => [basename(each), ...entriesOf(each)].some(name => /apphost/i.test(name)))
    .flatMap(each => appHostFile(each)?.replace(/^/, `${each}/`) ?? [])

function appHostFile(folder: string): string | undefined {
  const file = ['apphost.cs', 'apphost.ts', 'apphost.mts', 'apphost.js', 'apphost.mjs'].find(name =>
    /^#:sdk Aspire\.AppHost|\bcreateBuilder\(/m.test(readText(folder, name))
  )
  const project = projectFile(folder)
  if (file !== undefined || project === undefined) return file
  return /Aspire\.AppHost|IsAspireHost/.test(readText(folder, project)) ? project : undefined
}
