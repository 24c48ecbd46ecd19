import {envVariables} from '../../model/environment.ts'
import {codeOf} from '../../model/errors.ts'
import {readTextFile} from '../../model/read-file.ts'
import type {ExpansionMistake, FileVariables} from '../../model/expansion.ts'
import {expandTree} from '../yaml/tree.ts'
import {MAX_MISTAKES, templateError, unreadableTemplate, type Mistake, type Source} from './diagnose.ts'
import {inGoWords} from './paths.ts'
import type {Yaml} from './source.ts'

/** Reads the variables of a `.env` file. A missing file has none. Throws a `UserError` for an unreadable one. */
export function variablesIn(path: string, shownAs: string): FileVariables {
  try {
    return envVariables(readTextFile(path))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return {}
    throw unreadableTemplate(`error in reading the file that interpolate names: open ${path}: ${inGoWords(error)}`, {
      cause: error,
      shownAs,
      mendedBy: [path]
    })
  }
}

/** The text of the files, and the variables that `${…}` names. */
interface Interpolation {
  readonly source: Source
  readonly variables: FileVariables
}

/**
 * Replaces `${…}` in all values, not in keys. An unset variable is empty, and reported in the result. Throws one `UserError` for all
 * mistakes.
 */
export function interpolate(documents: readonly Yaml[], {source, variables}: Interpolation): readonly Mistake[] {
  const expanded = documents.map(({root}) => expandTree(root, source.text, variables, true))
  const faults = expanded.flatMap(each => each.faults)
  const unset = new Map<string, ExpansionMistake>()
  for (const mistake of expanded.flatMap(each => each.unset))
    if (!unset.has(mistake.message)) unset.set(mistake.message, mistake)
  const [first, ...others] = faults.slice(0, MAX_MISTAKES).map((fault): Mistake => ({code: 'interpolation', ...fault}))
  if (first !== undefined) throw templateError(source, first, ...others)
  return Array.from(unset.values(), mistake => ({code: 'unset-variable', ...mistake}))
}
