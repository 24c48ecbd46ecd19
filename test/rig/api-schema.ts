/** Checks answers of the API against its description (`schema/api.yaml`). */
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {Ajv2020} from 'ajv/dist/2020.js'
import {parse} from 'yaml'

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

export const API = parse(readFileSync(join(import.meta.dirname, '../../schema/api.yaml'), 'utf8')) as OpenApi

const ajv = new Ajv2020({
  strict: false,
  allErrors: true,
  formats: {'date-time': text => !Number.isNaN(Date.parse(text))}
})
ajv.addSchema(API, 'api')

/** What is wrong with a value; '' if it fits the schema of this name. */
export function misfit(schema: string, value: unknown): string {
  const validate = ajv.getSchema(`api#/components/schemas/${schema}`)
  if (validate === undefined) throw new Error(`there is no schema ${schema}`)
  return validate(value) === true ? '' : ajv.errorsText(validate.errors)
}
