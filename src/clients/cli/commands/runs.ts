import type {KeptRun} from '../../../model/api.generated.ts'
import {roughDuration} from '../../../model/duration.ts'
import {UserError} from '../../../model/errors.ts'
import {commitAt, keptRuns} from '../../../run/kept-runs.ts'
import {findRuns, type FoundRun} from '../../../control/client.ts'
import {readRunFile} from '../../../control/run-file.ts'
import {type CommandHandler, UsageError} from '../command-handler.ts'
import {outputColumns} from '../width.ts'
import type {GivenFlags} from '../given-flags.ts'
import {commandPlace, runsAt} from '../pick-run.ts'
import {print} from '../print.ts'
import {fittingTable, type FittingColumn} from '../table.ts'

/** `runs [-o json]`: the latest runs of a template. */
export const runs: CommandHandler = async ({flags, words}) => {
  if (words.length > 0) throw new UsageError(`runs takes no arguments, and got ${words[0] ?? ''}`)
  const {template, all} = await runsOf(flags)
  if (template === '')
    throw new UserError('there is no template here', {explanation: 'Name it by --run-file.', code: 'no-template'})
  if (flags.text('output') === 'json') print(process.stdout, `${JSON.stringify(all)}\n`)
  else if (all.length === 0) print(process.stdout, 'No run with calls or crashes is known.\n')
  else print(process.stdout, tableOfRuns(all))
  return 0
}

/** Returns the runs of the template, the oldest first: with `--name` those of this name, else those without a name. */
async function runsOf(flags: GivenFlags): Promise<{readonly template: string; readonly all: readonly KeptRun[]}> {
  const place = commandPlace(flags)
  const here = runsAt(await findRuns(process.env), place)[0] ?? []
  const living = here.find(run => place.name !== undefined || givenName(run) === '')
  // a run that is found by its name may be of another template than this folder's
  const template = living?.listing.template.file ?? place.template ?? ''
  if (living !== undefined) return {template, all: await runsUpTo(living, template)}
  return {template, all: template === '' ? [] : keptRuns({env: process.env, template, name: place.name ?? ''})}
}

/** Returns the `--name` with which a run was started; '': without one. */
const givenName = ({folder}: FoundRun): string => readRunFile(folder)?.identity?.copy ?? ''

/** Returns the recorded runs of a template, and the living run as the last one. */
async function runsUpTo(living: FoundRun, template: string): Promise<readonly KeptRun[]> {
  const all = keptRuns({env: process.env, template, name: givenName(living)})
  const {edges} = await living.api.ask('GET /edges')
  const {run, startedAt} = living.listing
  const before = all.find(each => each.run === run)
  const now: KeptRun = {
    run,
    startedAt,
    lastKnownAt: new Date().toISOString(),
    isOver: false,
    commit: before?.commit ?? commitAt(template),
    exits: before?.exits ?? [],
    edges: edges.map(({from, to, calls, failed, p95Ms}) => ({from, to, calls, failed, p95Ms}))
  }
  return [...all.filter(each => each.run !== run), now]
}

/** Formats a local time: `today at 17:02`, `yesterday at 17:02`, `on 2026-01-30 at 17:02`. */
function whenText(at: number, now: number): string {
  const [date, today] = [new Date(at), new Date(now)]
  const yesterday = new Date(now)
  yesterday.setDate(today.getDate() - 1)
  const time = date.toTimeString().slice(0, 5)
  if (date.toDateString() === today.toDateString()) return `today at ${time}`
  if (date.toDateString() === yesterday.toDateString()) return `yesterday at ${time}`
  const [month, day] = [date.getMonth() + 1, date.getDate()].map(part => part.toString().padStart(2, '0'))
  return `on ${date.getFullYear()}-${month}-${day} at ${time}`
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)

function tableOfRuns(all: readonly KeptRun[]): string {
  const column = (head: string, cell: (run: KeptRun) => string): FittingColumn => ({head, cells: all.map(cell)})
  const figure = (head: string, cell: (run: KeptRun) => number): FittingColumn => ({
    ...column(head, run => cell(run).toString()),
    alignsRight: true
  })
  const now = Date.now()
  return fittingTable(
    [
      column('STARTED', ({startedAt}) => whenText(Date.parse(startedAt), now)),
      column('LASTED', ({isOver, lastKnownAt, startedAt}) => {
        const lasted = roughDuration(Date.parse(lastKnownAt) - Date.parse(startedAt))
        return isOver ? lasted : `running, ${lasted}`
      }),
      figure('CALLS', ({edges}) => sum(edges.map(({calls}) => calls))),
      figure('FAILED', ({edges}) => sum(edges.map(({failed}) => failed))),
      figure('CRASHES', ({exits}) => sum(exits.map(each => each.exits))),
      column('COMMIT', ({commit}) => commit.slice(0, 8))
    ],
    outputColumns(40)
  )
}
