import type * as Api from '../../../model/api.generated.ts'
import {isUsable} from '../../../model/availability.ts'
import {callTable, localTime} from '../call-table.ts'
import {durationText} from '../../../model/duration.ts'
import type {CommandHandler} from '../command-handler.ts'
import {print} from '../print.ts'
import {heldWorkText} from '../../../work/workflow/held-work-text.ts'
import {exceptionText, thrownAt} from '../../../model/thrown-at.ts'
import {shellWord} from '../../../observe/api/export/shell-words.ts'
import {runHere} from '../run-here.ts'
import {UsageError} from '../usage-error.ts'

/** `why ID`: why an app is not running, or its last exit; `why NUMBER`: one exit; `why`: all apps that are not ready. */
export const why: CommandHandler = async ({flags, words, asJson}) => {
  const [what, ...others] = words
  if (others.length > 0) throw new UsageError('why takes the id of one app or the number of an exit')
  const output = flags.text('output') ?? ''
  const run = await runHere(flags, asJson)
  if (what !== undefined && /^\d+$/.test(what)) {
    const death = await run.api.ask('GET /deaths/{number}', {at: {number: what}})
    print(process.stdout, output === 'json' ? `${JSON.stringify(death)}\n` : deathText(death))
    return 0
  }
  const ids = what === undefined ? run.listing.apps.map(({id}) => id) : [what]
  const views = await Promise.all([...new Set(ids)].map(async id => run.api.ask('GET /apps/{id}/why', {at: {id}})))
  const shown =
    what === undefined
      ? views.filter(
          ({instances, stalled}) => stalled.length > 0 || instances.some(({availability}) => !isUsable(availability))
        )
      : views
  if (output === 'json') print(process.stdout, `${JSON.stringify(what === undefined ? shown : shown[0])}\n`)
  else print(process.stdout, shown.length === 0 ? 'All apps are ready.\n' : shown.map(whyText).join('\n'))
  return 0
}

function whyText({app, instances, stalled, death, deaths}: Api.Why): string {
  const states = instances.map(({name, isReady, reason}) => {
    if (reason !== '') return `${reason}\n`
    return isReady ? `"${name}" is ready\n` : `"${name}" is running, but not ready\n`
  })
  states.push(...stalled.map(({name, id, failure}) => `workflow ${name} ${id} is stalled: ${failure}\n`))
  if (death === null) return states.join('')
  const more = deaths > 1 ? `\n${deaths} exits of "${app}" are recorded.\n` : ''
  return `${states.join('')}\n${deathText(death)}${more}`
}

/** What is known about one end of a process. */
function deathText(death: Api.Death): string {
  const {number, name, exit, at, livedMs, files, inside, work, thrown, earlier, finished, lines, hint} = death
  const saved = files.length === 0 ? '' : `; its process was started by a change of ${files.join(', ')}`
  const parts = [
    `exit ${number}: "${name}" ${exit} at ${localTime({at})}, ${durationText(livedMs)} after its start${saved}\n`,
    hint === '' ? '' : `${hint}\n`,
    inside.length + work.length === 0 ? 'No call was in flight.\n' : '',
    inside.length === 0 ? '' : `In flight:\n${indented(callTable(inside, Infinity))}`,
    ...inside.flatMap(({number: call, times}) =>
      times === 0 ? [] : `  call ${call}: the same request was in flight at ${times} of the ${earlier} exits before\n`
    ),
    work.length === 0 ? '' : `In hand of its worker:\n${indented(work.map(each => workText(each, earlier)).join(''))}`,
    thrown.length === 0 ? '' : `Thrown:\n${indented(thrown.map(thrownText).join(''))}`,
    finished.length === 0 ? '' : `Answered before:\n${indented(callTable([...finished].toReversed(), Infinity))}`,
    lines.length === 0
      ? 'It wrote nothing.\n'
      : `Its last lines:\n${indented(`${lines.slice(-SHOWN_LINES).join('\n')}\n`)}`,
    showsText(inside)
  ]
  return parts.join('')
}

/** An exception, and the place in the code. */
function thrownText(exception: Api.SpanException): string {
  const place = thrownAt(exception)
  return `${exceptionText(exception)}${place === '' ? '' : ` (${place})`}\n`
}

function workText({times, ...work}: Api.Death['work'][number], earlier: number): string {
  const again = times === 0 ? '' : `: so at ${times} of the ${earlier} exits before`
  return `${heldWorkText(work)}${again} (pillion workflow history ${shellWord([Buffer.from(work.id)])})\n`
}

const SHOWN_LINES = 10

const showsText = (inside: readonly Api.Call[]): string => {
  const [first] = inside
  if (first === undefined) return ''
  const number = first.number.toString()
  const again = ['GET', 'HEAD', 'OPTIONS'].includes(first.method) ? number : `${number} --unsafe`
  return `pillion calls ${number} shows the request. pillion replay ${again} sends it again.\n`
}

const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ')
