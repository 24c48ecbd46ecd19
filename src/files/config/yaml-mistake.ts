import type {UserError} from '../../model/errors.ts'
import {TOO_DEEP} from '../yaml/build-tree.ts'
import {explainFault} from '../yaml/explain.ts'
import {fileAt, placeOf, templateError} from './diagnose.ts'
import {BEFORE_SYNTAX, type NoYaml} from './source.ts'

/** The error for a text that is no YAML: with the place where it goes wrong, and what to write. */
export function yamlMistake({source, fault}: NoYaml): UserError {
  const {text, start} = fileAt(source, fault.spot.start) ?? {...source, start: 0}
  const {message, spot, ...remedy} = explainFault(fault, text, start)
  // Go names no line for characters that it cannot read, nor for what it finds while it resolves the tree
  const line =
    fault.syntax === undefined && message === fault.message && message !== TOO_DEEP
      ? ''
      : `line ${placeOf(source, spot.start).line}: `
  return templateError(source, {code: fault.code, message: BEFORE_SYNTAX + line + message, spot, ...remedy})
}
