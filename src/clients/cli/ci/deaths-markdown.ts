import type * as Api from '../../../model/api.generated.ts'
import type {RunOutcome} from './outcome.ts'
import {callEndText} from '../../../model/call-end.ts'
import {plainText} from './plain-text.ts'

/** Crashes as Markdown: the calls in flight, those answered before, the last lines. */
export function deathsMarkdown({template, apps}: RunOutcome): string {
  const deaths = apps.flatMap(app => app.deaths).toSorted((a, b) => a.number - b.number)
  if (deaths.length === 0) return `# Crashes\n\nNo app of ${template} crashed.\n`
  return `# Crashes\n\n${deaths.map(deathPart).join('\n')}`
}

function deathPart(death: Api.Death): string {
  const {number, name, at, files, inside, finished, lines, hint} = death
  const suspect = inside.find(({times}) => times > 0)
  const parts = [
    `## ${number}. ${name}`,
    `${death.text}, at ${at}.`,
    files.length === 0 ? '' : `Its process was started by a change of ${files.join(', ')}.`,
    hint === '' ? '' : `${hint}.`,
    suspect === undefined
      ? ''
      : `Call ${suspect.number}: the same request was in flight at ${suspect.times} of the ${death.earlier} exits before.`,
    inside.length === 0 ? '' : `In flight:\n\n${fenced(inside.map(callLine))}`,
    finished.length === 0 ? '' : `Answered before:\n\n${fenced(finished.toReversed().map(callLine))}`,
    lines.length === 0 ? 'It wrote nothing.' : `Its last lines:\n\n${fenced(lines)}`
  ]
  return `${parts.filter(part => part !== '').join('\n\n')}\n`
}

const callLine = (call: Api.Call & {readonly count?: number}): string => {
  const {number, at, from, to, method, path, count = 1} = call
  return `${number}  ${at}  ${from} → ${to}  ${method} ${path}${count === 1 ? '' : ` ×${count}`}  ${callEndText(call)}`
}

/** A block of code whose fence is longer than any in the text (CommonMark, 4.5). */
function fenced(lines: readonly string[]): string {
  const text = plainText(lines.join('\n'))
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}\n${text}\n${fence}`
}
