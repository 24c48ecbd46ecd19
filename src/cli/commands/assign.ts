import {print} from '../print.ts'
import {UserError} from '../../model/errors.ts'
import {UsageError} from '../usage-error.ts'
import type {CommandHandler} from '../command-handler.ts'
import {runFinder} from '../run-here.ts'

/** `assign NAME VERSION`: makes a version the main version. Calls in flight finish in the old one. There is no prompt. */
export const assign: CommandHandler = async ({flags, asJson, words: [name, version, ...rest]}) => {
  if (name === undefined || version === undefined || rest.length > 0)
    throw new UsageError('assign takes the name of a service and a version')
  const run = (await runFinder(flags, asJson)).lookAloud(name)
  if (run === undefined) throw new UserError(`No main service matching ${name}`)
  await run.api.ask('POST /services/{name}/{version}/assign', {at: {name, version}})
  print(process.stdout, `Changed main version to ${name} ${version}\n`)
  return 0
}
