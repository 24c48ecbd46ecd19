import template from '../../../../schema/template.json' with {type: 'json'}
import type {CommandHandler} from '../command-handler.ts'

/** `schema`: prints the JSON Schema of the template. */
export const schema: CommandHandler = async () => {
  process.stdout.write(`${JSON.stringify(template, null, 2)}\n`)
  return Promise.resolve(0)
}
