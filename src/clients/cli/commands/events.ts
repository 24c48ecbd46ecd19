import {readTypes} from '../../../observe/api/events/event.ts'
import {codeOf, messageOf, UserError} from '../../../model/errors.ts'
import type {CommandHandler} from '../command-handler.ts'
import {eventText} from '../event-text.ts'
import {followedEvents} from '../followed-events.ts'
import {print, printWhole, signedLine} from '../print.ts'
import {runHere} from '../run-here.ts'
import {UsageError} from '../usage-error.ts'

/** The types of events in the text for people; samples are for programs and pages. */
const TEXT_TYPES = 'app,reload,asleep,woken,death,fault,workflow,note'

const NONE = 'No such event so far'

/** `events [-f] [-o ndjson] [--types …] [--after ID]`: what happens in a run, a line for each event. */
export const events: CommandHandler = async ({flags, words, asJson}) => {
  if (words.length > 0) throw new UsageError(`events takes no arguments, and got ${words[0] ?? ''}`)
  const after = flags.text('after')
  if (after !== undefined && !/^[1-9]\d{0,14}$/.test(after))
    throw new UsageError(`invalid argument "${after}" for "--after" flag: expected the id of an event`)
  const isText = (flags.text('output') || 'text') === 'text'
  const types = checkedTypes(flags.text('types') ?? (isText ? TEXT_TYPES : ''))
  const isFollowed = flags.isSet('follow')
  const failure = Promise.withResolvers<never>()
  let isBroken = false
  process.stdout.on('error', error => {
    if (codeOf(error) === 'EPIPE') process.exit() // `events -f | head`: the reader has closed the pipe
    isBroken = true // a second failure would be a second message
    failure.reject(new UserError(`cannot write events: ${messageOf(error)}`))
  })
  const run = await runHere(flags, asJson)
  const app = flags.text('app') ?? ''
  let shown = 0
  const show = async (): Promise<void> => {
    for await (const event of followedEvents(run, {types, app, after, ...(!isFollowed && {once: '1'})})) {
      const text = isText ? eventText(event) : `${JSON.stringify(event)}\n`
      if (text !== '') shown++
      if (!isBroken) await printWhole(process.stdout, text)
    }
  }
  await Promise.race([show(), failure.promise])
  if (shown === 0 && isText && !isFollowed) print(process.stderr, signedLine('info', NONE, asJson))
  return 0
}

function checkedTypes(text: string): string {
  try {
    readTypes(text)
    return text
  } catch (error) {
    if (error instanceof UserError) throw new UsageError(`${error.message}. ${error.explanation}`)
    throw error
  }
}
