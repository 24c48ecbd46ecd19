import {join} from 'node:path'
import {namesInFolder} from '../../platform/paths.ts'

/** The resource files of a folder, in the order of their names; none if there is no such folder, as may be with the default one. */
export const filesIn = (folder: string): readonly string[] =>
  namesInFolder(folder)
    .filter(name => /\.ya?ml$/i.test(name))
    .toSorted()
    .map(name => join(folder, name))
