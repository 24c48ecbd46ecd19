import {isTerminal, STATUSES} from '../../../../work/workflow/status.ts'
import {type CommandContext, type CommandHandler, UsageError} from '../../command-handler.ts'
import {say} from '../../say.ts'
import {checkedStatus} from './list.ts'
import {readMoment} from './moment.ts'
import {appIn, runOf} from './target.ts'

/** `workflow purge [ID…]`: removes workflows that are over, those that are named or all. */
export const purgeWorkflows: CommandHandler = async context => {
  const {words, asJson} = context
  checkUse(context)
  const body = bodyOf(context)
  const {api} = await runOf(context)
  const {purged, count} = await api.ask('POST /workflows/purge', {body: {...appIn(context), ...body, ids: words}})
  const children = count > purged.length ? `, with ${count - purged.length} that they have started` : ''
  say(process.stdout, 'info', `Purging ${purged.length} workflow instance(s)${children}`, asJson)
  for (const {id} of purged) say(process.stdout, 'success', `Purged workflow instance "${id}"`, asJson)
  return 0
}

/** Throws a UsageError in Dapr's words (cmd/workflow/purge.go). */
function checkUse({flags, words}: CommandContext): void {
  const [isAll, older, status] = [flags.isSet('all'), flags.text('all-older-than'), flags.text('all-filter-status')]
  const clash = older === undefined ? (status === undefined ? '' : 'all-filter-status') : 'all-older-than'
  if (isAll && clash !== '')
    throw new UsageError(
      `if any flags in the group [${clash} all] are set none of the others can be; [all ${clash}] were all set`
    )
  if (isAll || older !== undefined) {
    if (words.length > 0) throw new UsageError('no arguments are accepted when using purge all flags')
  } else if (status !== undefined) throw new UsageError('--all-filter-status can only be used with --all-older-than')
  else if (words.length === 0)
    throw new UsageError('one or more workflow instance ID arguments are required when not using purge all flags')
  if (status === undefined) return
  checkedStatus(status, 'all-filter-status')
  if (!isTerminal(STATUSES.indexOf(status)) && !flags.isSet('force'))
    throw new UsageError(`--force is required when using --all-filter-status with a non-terminal status (${status})`)
}

function bodyOf({flags}: CommandContext): object {
  const [older, status] = [flags.text('all-older-than'), flags.text('all-filter-status')]
  return {
    force: flags.isSet('force'),
    all: flags.isSet('all') || older !== undefined,
    ...(status !== undefined && {status}),
    ...(older !== undefined && {
      until: new Date(readMoment(older, 'all-older-than', {isPast: true, now: Date.now()})).toISOString()
    })
  }
}
