import {UserError} from '../../../model/errors.ts'
import {wantsColours} from '../paint.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {commandPlace} from '../pick-run.ts'
import {runFinder} from '../run-here.ts'
import {Ui} from '../ui/ui.ts'

/** `ui`: the table of a run's apps on the whole terminal, with keys, until the user quits. */
export const ui: CommandHandler = async ({flags, words, asJson}) => {
  if (words.length > 0) throw new UsageError(`ui takes no arguments, and got ${words[0] ?? ''}`)
  if (!process.stdin.isTTY || !process.stdout.isTTY || process.env['TERM'] === 'dumb')
    throw new UserError('ui needs a terminal', {
      explanation: '"pillion ps" prints the table, "pillion logs" the lines, "pillion events" what has changed.',
      code: 'no-terminal'
    })
  const first = (await runFinder(flags, asJson)).look()
  await new Ui({place: commandPlace(flags), first, hasColours: wantsColours(true, process.env)}).run()
  return 0
}
