import {unlessGone, type FoundRun} from '../../../control/client.ts'
import {Attachment, typeText} from '../attach/attachment.ts'
import {detachKeysText, readDetachKeys, USUAL_DETACH_KEYS} from '../attach/detach-keys.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {idsOf, runFinder} from '../run-here.ts'
import {say, shownStatus} from '../say.ts'

/**
 * `attach ID`: connects the terminal to the terminal of an app. If stdin is not a terminal, types its text. Exits with the app's exit code if the app
 * ends. Without an id: shows the whole run.
 */
export const attachTo: CommandHandler = async ({flags, words, asJson}) => {
  const [app, ...others] = idsOf({words, flags})
  if (others.length > 0) throw new UsageError('attach takes the id of one app, or none for the whole run')
  if (app === undefined && flags.names.includes('detach-keys'))
    throw new UsageError('--detach-keys needs the id of an app: Ctrl-C detaches from a run')
  const detachKeys = readDetachKeys(flags.text('detach-keys') ?? USUAL_DETACH_KEYS)
  const run = (await runFinder(flags, asJson)).find(app)
  if (app === undefined) return (await import('../attach/whole-run.ts')).attachToRun(run, asJson)
  const tell = (text: string): void => say(process.stderr, 'info', text, asJson)
  const leaveGone = (): number => {
    tell('the run is gone')
    return 1
  }
  if (!process.stdin.isTTY) return (await unlessGone(async () => typeAll(run, app), undefined)) ?? leaveGone()
  const keys = detachKeysText(detachKeys)
  const attachment = new Attachment({
    run,
    app,
    detachKeys,
    greeting: shownStatus(
      process.stderr,
      'info',
      `attached to ${app}: ${keys} detaches, all other keys go to the app`,
      asJson
    )
  })
  const end = await attachment.run()
  if (end === 'gone') return leaveGone()
  if (end === 'detached') {
    tell(`detached from ${app}, which keeps running`)
    return 0
  }
  const {exit, exitCode} = attachment.ofApp
  tell(`${app} ${exit === '' ? 'was stopped' : exit}`)
  return exitCode ?? 0
}

/** Types stdin into the terminal of an app. Sends an empty text first, which fails at once if the app takes no input. */
async function typeAll(run: FoundRun, app: string): Promise<number> {
  await typeText({run, app}, {text: ''})
  process.stdin.setEncoding('latin1')
  for await (const text of process.stdin) await typeText({run, app}, {text: text as string})
  return 0
}
