import template from '../../schema/template.json' with {type: 'json'}
import type {Deed} from './deed.ts'

/** `schema`: what a template may say, as JSON Schema. */
export const schema: Deed = async () => {
  process.stdout.write(`${JSON.stringify(template, null, 2)}\n`)
  return Promise.resolve(0)
}
