// Tools whose files are programs: import reads the output of the tool itself.
import {UserError} from '../../../model/errors.ts'
import {orElse} from '../../../model/or-else.ts'
import {isMap, type Values} from './yaml-file.ts'

/** A command of another tool, which runs code of the project. */
export interface OtherTool {
  /** The name of the tool, and where to get it. */
  readonly name: string
  /** The file that only this tool can read, as messages name it. */
  readonly of: string
  readonly command: readonly string[]
  /** Working directory of the command, absolute. */
  readonly folder: string
}

/** Runs a tool and returns its standard output. Rejects with a `UserError` if the tool is missing, refused, or fails. */
export type RunTool = (tool: OtherTool) => Promise<string>

export const runsNothing: RunTool = async ({of, command}) =>
  Promise.reject(new UserError(`${of} is a program: ${command.join(' ')} shows what it starts`))

const asText = (_: string, value: unknown): unknown =>
  /^(?:number|boolean)$/.test(typeof value) ? String(value) : value

/** The values of JSON, with texts in the place of numbers and booleans, as YAML files have them. Throws a `UserError`. */
export function jsonValues(text: string, {command, of}: OtherTool): Values {
  const values = orElse((): unknown => JSON.parse(text, asText), undefined)
  if (isMap(values)) return values
  throw new UserError(`cannot import ${of}: ${command.join(' ')} wrote no JSON`)
}
