/** Commands that print facts of the program itself. */
import template from '../../../../schema/template.json' with {type: 'json'}
import {print} from '../print.ts'
import {RUNTIME_VERSION, VERSION} from '../../../model/version.ts'
import type {CommandHandler} from '../command-handler.ts'

/** `version [-o json]`, with exactly the output of Dapr's CLI: its first line ends with a space. */
export const version: CommandHandler = async ({flags}) => {
  print(
    process.stdout,
    flags.text('output') === 'json'
      ? `${JSON.stringify({'Cli version': VERSION, 'Runtime version': RUNTIME_VERSION})}\n`
      : `CLI version: ${VERSION} \nRuntime version: ${RUNTIME_VERSION}\n`
  )
  return 0
}

/** `build-info`: prints the versions of Pillion, of the Dapr runtime it matches, and of Node. */
export const buildInfo: CommandHandler = async () => {
  const lines = [
    'CLI:',
    `\tVersion: ${VERSION}`,
    'Runtime:',
    `\tVersion: ${RUNTIME_VERSION}`,
    `\tNode: ${process.version} (${process.platform} ${process.arch})`
  ]
  print(process.stdout, `${lines.join('\n')}\n`)
  return 0
}

/** `schema`: prints the JSON Schema of the template. */
export const schema: CommandHandler = async () => {
  process.stdout.write(`${JSON.stringify(template, null, 2)}\n`)
  return Promise.resolve(0)
}
