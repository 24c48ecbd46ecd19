/** Checks answers of the API against its description (`schema/api.yaml`). */
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {Ajv2020} from 'ajv/dist/2020.js'
import {parse} from 'yaml'

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly components: {readonly parameters: object}
  readonly 'x-output': Readonly<Record<string, unknown>>
}

export const API = parse(readFileSync(join(import.meta.dirname, '../../schema/api.yaml'), 'utf8')) as OpenApi

const ajv = new Ajv2020({
  strict: false,
  allErrors: true,
  formats: {'date-time': text => !Number.isNaN(Date.parse(text))}
})
ajv.addSchema(API, 'api')

/** What is wrong with a value; '' if it fits the schema of this name. */
export const misfit = (schema: string, value: unknown): string => misfitAt(`/components/schemas/${schema}`, value)

/** What is wrong with what a command prints with `-o json`, by the description of its form; '' if it fits. */
export const misfitOf = (command: string, value: unknown): string =>
  misfitAt(`/x-output/${encodeURIComponent(command)}`, value)

export function misfitAt(pointer: string, value: unknown): string {
  const validate = ajv.getSchema(`api#${pointer}`)
  if (validate === undefined) throw new Error(`there is no schema ${pointer}`)
  return validate(value) === true ? '' : ajv.errorsText(validate.errors)
}
