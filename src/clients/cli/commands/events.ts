import type * as Api from '../../../model/api.generated.ts'
import type {FoundRun} from '../../../control/client.ts'
import {isGone} from '../../../control/ask.ts'
import {readTypes} from '../../../observe/api/events/event.ts'
import {codeOf, messageOf, UserError} from '../../../model/errors.ts'
import type {CommandHandler} from '../command-handler.ts'
import {eventText} from '../event-text.ts'
import {print, signedLine} from '../print.ts'
import {runHere} from '../run-here.ts'
import {UsageError} from '../usage-error.ts'

/** The types of events in the text for people; samples are for programs and pages. */
const TEXT_TYPES = 'app,reload,death,fault,workflow,note'

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
  const query = {types, app: flags.text('app') ?? '', format: 'ndjson', ...(isFollowed ? {} : {once: '1'})}
  let shown = 0
  const show = async (event: Api.Event): Promise<void> => {
    const text = isText ? eventText(event) : `${JSON.stringify(event)}\n`
    if (text !== '') shown++
    if (!isBroken) await write(text)
  }
  await Promise.race([read(run, {query, after, isFollowed, show}), failure.promise])
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

interface Wanted {
  readonly query: Readonly<Record<string, string>>
  readonly after: string | undefined
  readonly isFollowed: boolean
  readonly show: (event: Api.Event) => Promise<void>
}

/** Shows events until the run ends. A reader that falls behind is disconnected by the run, and resumes after its last event. */
async function read(run: FoundRun, {query, after, isFollowed, show}: Wanted): Promise<void> {
  let last = after
  for (;;) {
    try {
      const asked = {...query, ...(last !== undefined && {after: last})}
      for await (const event of await run.api.follow('GET /events', {query: asked})) {
        await show(event)
        if ('id' in event && event.id !== undefined) last = event.id.toString()
        if (event.type === 'bye') return
      }
    } catch (error) {
      if (isGone(error)) return // the run has ended
      throw error
    }
    if (!isFollowed) return
  }
}

/** Shows the events of a run from now on, until it ends. */
export async function followEvents(run: FoundRun, types: string, onEvent: (event: Api.Event) => void): Promise<void> {
  const show = async (event: Api.Event): Promise<void> => onEvent(event)
  await read(run, {query: {types, format: 'ndjson'}, after: undefined, isFollowed: true, show})
}

/** Waits until the reader has taken it. */
const write = async (text: string): Promise<void> =>
  new Promise(resolve => {
    if (text === '') resolve()
    else print(process.stdout, text, () => resolve())
  })
