import type {UserError} from '../../model/errors.ts'
import {TOO_DEEP} from '../yaml/build-tree.ts'
import {explainFault} from '../yaml/explain.ts'
import {fileAt, placeOf, templateError} from './diagnose.ts'
import {BEFORE_SYNTAX, type NoYaml} from './source.ts'

/** Returns the error for a text that is not YAML, with its place and the right form. */
export function yamlMistake({source, fault}: NoYaml): UserError {
  const {text, start} = fileAt(source, fault.spot.start) ?? {...source, start: 0}
  const {message, spot, ...remedy} = explainFault(fault, text, start)
  // Go names no line for unreadable characters, nor for mistakes in the tree
  const line =
    fault.syntax === undefined && message === fault.message && message !== TOO_DEEP
      ? ''
      : `line ${placeOf(source, spot.start).line}: `
  return templateError(source, {code: fault.code, message: BEFORE_SYNTAX + line + message, spot, ...remedy})
}
