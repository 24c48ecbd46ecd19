import {refuseNoTemplate} from '../../../files/config/find.ts'
import {UserError} from '../../../model/errors.ts'
import {type CommandContext, type CommandHandler, UsageError} from '../command-handler.ts'
import {COMMAND_FLAGS} from '../run-flags.ts'
import {isTemplatePath} from '../template-named.ts'
import {EXIT_YIELDED} from '../asked-run.ts'
import {live} from '../run-form.ts'
import {isOnTerminal, openTerminal} from '../terminal.ts'
import {ownOf} from '../../../model/own.ts'

const WITH_COMMAND: readonly string[] = COMMAND_FLAGS.map(({name}) => name)
const SELECTS = 'selects apps of a run template'
const FORMATS = "formats the lines of a run template's apps"
const MOVES = 'is about the ports that a run template fixes'
const TEMPLATE_FLAGS: Readonly<Record<string, string>> = {
  only: SELECTS,
  except: SELECTS,
  profile: SELECTS,
  'log-style': FORMATS,
  timestamps: FORMATS,
  isolated: MOVES,
  'strict-ports': MOVES
}

/** `run -f PATH` and `run -- command`: runs until all apps have exited or a signal or `stop` ends the run. */
export const run: CommandHandler = async call => begun(call)

/** Begins a run. With `isUp`, a plain template (`pillion.yaml`) gets messages of Pillion instead of Dapr's. */
async function begun(call: CommandContext, isUp = false): Promise<number> {
  const isTemplate = call.flags.list('run-file').some(file => file !== '')
  const needsTemplate = Object.keys(TEMPLATE_FLAGS).find(name => call.flags.names.includes(name))
  if (!isTemplate && needsTemplate !== undefined)
    throw new UserError(`--${needsTemplate} ${ownOf(TEMPLATE_FLAGS, needsTemplate) ?? ''}: add --run-file`)
  if (!isTemplate && call.words.length === 1 && !call.flags.names.includes('app-id'))
    await (await import('../selected-apps.ts')).refuseNamedApp(call)
  if (!isTemplate) {
    const {singleRun} = await import('./run-single.ts')
    return live(openTerminal(), call, terminal => singleRun(call, terminal))
  }
  const {templateRun} = await import('./run-template.ts')
  return live(openTerminal(), call, terminal => templateRun(call, terminal, isUp))
}

/** `up`: `run -f .`; `up -d`, which leaves the run in the background; and `up --run CMD`, which ends with a command. */
export const up: CommandHandler = async given => {
  refuseWords(given)
  // an empty name, as from an unset variable, means this folder, as for `validate` and `down`
  const files = given.flags.list('run-file').map(file => (file === '' ? '.' : file))
  if (files.length === 0) refuseNoTemplate(process.cwd())
  const context = {...given, flags: given.flags.with({'run-file': files.length === 0 ? ['.'] : files})}
  const endsWithCommand = context.flags.names.some(name => WITH_COMMAND.includes(name))
  const isDetached = context.flags.isSet('detach')
  if (context.flags.text('output') !== undefined && !isDetached) throw new UsageError('--output needs --detach')
  if (endsWithCommand && !isDetached) return (await import('../ci/up-run.ts')).upRun(context)
  const {secondUp} = await import('../second-run.ts')
  if (isDetached) {
    const {upDetached} = await import('./up-detached.ts')
    for (;;) {
      const code = (await secondUp(context, 'wait')) ?? (await upDetached(context))
      if (code !== EXIT_YIELDED) return code // EXIT_YIELDED: another command has started the run first
    }
  }
  const isBackground = context.flags.isSet('background')
  const second = await secondUp(context, isBackground ? 'yield' : isOnTerminal(context) ? 'attach' : 'report')
  if (second !== undefined) return second
  return isBackground
    ? (await import('./up-detached.ts')).runDetached(async () => begun(context, true))
    : begun(context, true)
}

/** Throws a UsageError for arguments of `up`. Suggests the flag for ids, which `docker compose up` takes as arguments, or for a template. */
function refuseWords({words, flags}: CommandContext): void {
  const [first] = words
  if (first === undefined || ['run', 'only', 'except'].some(name => flags.names.includes(name))) return
  const meant = isTemplatePath(first) ? `-f ${words.join(' -f ')}` : `--only ${words.join(',')}`
  throw new UsageError(`up takes no arguments: did you mean pillion up ${meant}?`)
}
