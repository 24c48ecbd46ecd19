import {readTypes} from '../../../observe/api/events/event.ts'
import {type CommandHandler, readTyped, UsageError} from '../command-handler.ts'
import {eventText} from '../event-text.ts'
import {followedEvents} from '../followed-events.ts'
import {endWithStdout, print, printWhole, signedLine} from '../print.ts'
import {runHere} from '../run-here.ts'

/** The types of events in the text for people; samples are for programs and pages. */
const TEXT_TYPES = 'app,reload,asleep,woken,death,fault,workflow,note'

const NONE = 'No such event so far'

/** `events [-f] [-o ndjson] [--types …] [--after ID]`: the events of a run, one line each. */
export const events: CommandHandler = async ({flags, words, asJson}) => {
  if (words.length > 0) throw new UsageError(`events takes no arguments, and got ${words[0] ?? ''}`)
  const after = flags.text('after')
  if (after !== undefined && !/^[1-9]\d{0,14}$/.test(after))
    throw new UsageError(`invalid argument "${after}" for "--after" flag: expected the id of an event`)
  const isText = (flags.text('output') || 'text') === 'text'
  const types = flags.text('types') ?? (isText ? TEXT_TYPES : '')
  readTyped(() => readTypes(types))
  const isFollowed = flags.isSet('follow')
  endWithStdout() // `events -f | head`
  const run = await runHere(flags, asJson)
  const app = flags.text('app') ?? ''
  let shown = 0
  for await (const event of followedEvents(run, {types, app, after, ...(!isFollowed && {once: '1'})})) {
    const text = isText ? eventText(event) : `${JSON.stringify(event)}\n`
    if (text !== '') shown++
    await printWhole(process.stdout, text)
  }
  if (shown === 0 && isText && !isFollowed) print(process.stderr, signedLine('info', NONE, asJson))
  return 0
}
