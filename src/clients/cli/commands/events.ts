import {readTypes} from '../../../observe/api/events/event.ts'
import {type CommandHandler, readTyped, UsageError} from '../command-handler.ts'
import {followedEvents} from '../followed-events.ts'
import {endWithStdout, print, printWhole, signedLine} from '../print.ts'
import {runHere} from '../run-here.ts'
import type * as Api from '../../../model/api.generated.ts'
import {stateText} from '../../../model/app-words.ts'
import {nameText} from '../app-table.ts'
import {followedLine} from '../call-table.ts'
import {clockText} from '../log-style.ts'

/** Types of events that text output shows by default. The other ones, such as samples of calls and lines, are for programs and the page. */
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
  endWithStdout() // ends the command with its reader: `events -f | head`
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

/** Returns an event as text for people, with its time; '' if the event shows nothing. */
function eventText(event: Api.Event): string {
  const text = textOf(event)
  const isState = event.type === 'hello' || event.type === 'reset'
  return text === '' || isState || !('at' in event) || event.at === undefined
    ? text
    : `${clockText(new Date(event.at))}  ${text}`
}

function textOf(event: Api.Event): string {
  switch (event.type) {
    case 'hello':
    case 'reset':
      return event.data.apps.map(appText).join('')
    case 'app':
      return appText(event.data)
    case 'reload': {
      const {app, files, tookMs} = event.data
      const why = files.length === 0 ? '' : `: ${files.join(', ')}`
      return `${app}  was reloaded in ${Math.round(tookMs)} ms${why}\n`
    }
    case 'asleep':
      return `${event.data.name}  is asleep\n`
    case 'woken': {
      const {name, cause, tookMs} = event.data
      return `${name}  was woken in ${Math.round(tookMs)} ms by ${cause}\n`
    }
    case 'death': {
      const {text, reason, number} = event.data
      return `${text}${reason === '' ? '' : `: ${reason}`} (pillion why ${number})\n`
    }
    case 'fault': {
      const {text} = event.data
      return text === '' ? '' : `${text}\n`
    }
    case 'workflow':
      return `${workflowText(event.data)}\n`
    case 'note':
      return `${event.data.text}\n`
    case 'calls': {
      const {calls, notShown} = event.data
      return calls.map(call => followedLine(call, Infinity)).join('') + more(notShown, 'calls')
    }
    case 'lines': {
      const {lines, notShown} = event.data
      return lines.map(({app, line}) => `${app} | ${line}\n`).join('') + more(notShown, 'lines')
    }
    case 'dropped':
      return Object.entries(event.data)
        .map(([what, count]) => more(count, what))
        .join('')
    case 'bye':
      return 'the run has ended\n'
    case 'edges':
    case 'troubles':
    case 'replay':
      return ''
  }
}

const more = (count: number, what: string): string => (count === 0 ? '' : `… ${count} more ${what}\n`)

const appText = (app: Api.App): string => `${nameText(app)}  ${stateText(app, Date.now())}\n`

function workflowText({app, id, name, what, kind, step, failure}: Api.WorkflowNews): string {
  const done = what === 'failed-step' ? 'failed' : what
  const subject = [kind, step].filter(text => text !== '').join(' ')
  const happened = subject === '' ? what : `${subject} ${done}`
  return `${app}  ${name} ${id}: ${happened}${failure === '' ? '' : `: ${failure.split('\n', 1)[0] ?? ''}`}`
}
