import type * as Api from '../../model/api.generated.ts'
import {exceptionText, thrownAt} from '../../model/thrown-at.ts'
import {shellWord} from '../../observe/api/export/shell-words.ts'
import {heldWorkText} from '../../work/workflow/held-work-text.ts'
import {callTable, localTime} from './call-table.ts'
import {indented} from './ci/outcome.ts'
import {outputColumns} from './width.ts'

interface DeathView {
  /** Whether the text above already describes the exit. */
  readonly isTold?: boolean
  /** Whether the run is over, so that commands cannot show its calls. */
  readonly isOver?: boolean
}

/** Describes one exit of a process: its reason, the calls in flight, and its last lines. */
export function deathText(death: Api.Death, {isTold = false, isOver = false}: DeathView = {}): string {
  const {number, version, text, reason, place, at, files, inside, work, thrown, earlier, finished, lines, hint} = death
  const {own = []} = death
  const columns = outputColumns(40) - 3
  const saved = files.length === 0 ? '' : `; its process was started by a change of ${files.join(', ')}`
  const parts = [
    `exit ${number}${version === '0.0.0' ? '' : ` of version ${version}`}${isTold ? '' : `: ${text}`}, at ${localTime({at})}${saved}\n`,
    reason === '' ? '' : `${reason}${place === '' || reason.includes(place) ? '' : ` (${place})`}\n`,
    hint === '' ? '' : `${hint}\n`,
    inside.length + own.length + work.length === 0 ? 'No recorded call was in flight.\n' : '',
    own.length === 0 ? '' : `Sent by Pillion:\n${indented(own.map(each => `${each}\n`).join(''))}`,
    inside.length === 0 ? '' : `In flight:\n${indented(callTable(inside, columns))}`,
    ...inside.flatMap(({number: call, times}) =>
      times === 0 ? [] : `  call ${call}: the same request was in flight at ${times} of the ${earlier} exits before\n`
    ),
    work.length === 0 ? '' : `In hand of its worker:\n${indented(work.map(each => workText(each, earlier)).join(''))}`,
    thrown.length === 0 ? '' : `Thrown:\n${indented(thrown.map(thrownText).join(''))}`,
    finished.length === 0 || inside.length > 0
      ? ''
      : `Answered before:\n${indented(callTable([...finished].toReversed().slice(0, SHOWN_CALLS), columns))}`,
    lines.length === 0
      ? 'It wrote nothing.\n'
      : `Its last lines:\n${indented(`${lines.slice(-SHOWN_LINES).join('\n')}\n`)}`,
    isOver ? '' : nextSteps(inside)
  ]
  return parts.join('')
}

function thrownText(exception: Api.SpanException): string {
  const place = thrownAt(exception)
  return `${exceptionText(exception)}${place === '' ? '' : ` (${place})`}\n`
}

function workText({times, ...work}: Api.Death['work'][number], earlier: number): string {
  const again = times === 0 ? '' : `: so at ${times} of the ${earlier} exits before`
  return `${heldWorkText(work)}${again} (pillion workflow history ${shellWord([Buffer.from(work.id)])})\n`
}

const SHOWN_LINES = 10
/** Number of answered calls to show if no call was in flight. */
const SHOWN_CALLS = 3

/** Names the commands that show and send the first call in flight. */
const nextSteps = (inside: readonly Api.Call[]): string => {
  const [first] = inside
  if (first === undefined) return ''
  const number = first.number.toString()
  const again = ['GET', 'HEAD', 'OPTIONS'].includes(first.method) ? number : `${number} --unsafe`
  return `pillion calls ${number} shows the request. pillion replay ${again} sends it again.\n`
}
