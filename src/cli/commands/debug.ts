import {ApiError} from '../../control/api-client.ts'
import {withReason, type FoundRun} from '../../control/client.ts'
import type {Launch} from '../../model/api.generated.ts'
import {UserError} from '../../model/errors.ts'
import {UsageError} from '../usage-error.ts'
import type {CommandContext, CommandHandler} from '../command-handler.ts'
import {launchText, variables, type LaunchFormat} from './launch-format.ts'
import {print} from '../print.ts'
import {idsOf, runFinder} from '../run-here.ts'
import {say} from '../say.ts'

/** `debug ID [--format F]`: ends the app's process, and prints what to start in its place. */
export const debug: CommandHandler = async context => {
  const format = formatOf(context)
  const {id, run} = await appOf(context, 'debug')
  const {isChanged} = await withReason(async () => run.api.ask('POST /apps/{id}/debug', {at: {id}})).catch(
    (error: unknown) => {
      throw error instanceof UserError ? new UserError(`failed to debug app id ${id}: ${error.message}`) : error
    }
  )
  const launch = await run.api.ask('GET /apps/{id}/launch', {at: {id}})
  print(process.stdout, launchText(launch, format))
  const stopped = isChanged === true ? `${id} is stopped for debugging` : `${id} is already being debugged`
  const calls = launch.appPort > 0 ? `; calls wait until it listens on port ${launch.appPort.toString()}` : ''
  const text = `${stopped}${calls}. To run it here again: pillion start ${id}`
  say(process.stderr, 'info', text, context.asJson)
  return 0
}

/** `env ID [--all] [--format F]`: the environment of an app. */
export const env: CommandHandler = async context => {
  const format = formatOf(context)
  const {id, run} = await appOf(context, 'env')
  const launch = await run.api.ask('GET /apps/{id}/launch', {at: {id}}).catch((error: unknown) => {
    const isStopped = error instanceof ApiError && error.status === 409
    throw isStopped ? new UserError(`app id ${id} is stopped: "pillion start ${id}" brings it back`) : error
  })
  const isWhole = context.flags.isSet('all')
  const shown: Launch = isWhole ? {...launch, added: Object.keys(launch.environment)} : launch
  print(process.stdout, variables(shown, format))
  return 0
}

/** The parser has checked it. */
const formatOf = ({flags}: CommandContext): LaunchFormat => (flags.text('format') ?? 'shell') as LaunchFormat

async function appOf(
  {words, flags, asJson}: CommandContext,
  verb: string
): Promise<{readonly id: string; readonly run: FoundRun}> {
  const [id, ...others] = idsOf({words, flags})
  if (id === undefined || others.length > 0) throw new UsageError(`${verb} needs the id of one app`)
  return {id, run: (await runFinder(flags, asJson)).find(id)}
}
