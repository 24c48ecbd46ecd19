import {visit} from 'yaml'
import {expand, type ExpansionMistake, type FileVariables} from '../../model/expansion.ts'
import {MAX_MISTAKES, templateError, type Mistake, type Source} from './diagnose.ts'
import {spotOf} from './nodes.ts'
import {setInterpolated, scalarSource} from './scalar.ts'
import type {Yaml} from './source.ts'

/** The text of the files, and the variables that `${…}` names. */
export interface Interpolation {
  readonly source: Source
  readonly variables: FileVariables
}

/**
 * Replaces `${…}` in all values, not in keys. An unset variable is empty, and reported in the result. Throws one `UserError` for all
 * mistakes.
 */
export function interpolate(documents: readonly Yaml[], {source, variables}: Interpolation): readonly Mistake[] {
  const faults: ExpansionMistake[] = []
  const unset = new Map<string, ExpansionMistake>()
  for (const document of documents)
    visit(document, {
      Scalar: (key, node) => {
        const value = scalarSource(node)
        if (key === 'key' || !value.includes('${')) return
        const {text} = source
        const expanded = expand({value, text, ...spotOf(node, {start: 0, end: 0})}, variables)
        if (expanded.fault === undefined) setInterpolated(node, expanded.value)
        else faults.push(expanded.fault)
        for (const mistake of expanded.unset) if (!unset.has(mistake.message)) unset.set(mistake.message, mistake)
      }
    })
  const [first, ...others] = faults.slice(0, MAX_MISTAKES).map((fault): Mistake => ({code: 'interpolation', ...fault}))
  if (first !== undefined) throw templateError(source, first, others)
  return Array.from(unset.values(), mistake => ({code: 'unset-variable', ...mistake}))
}
