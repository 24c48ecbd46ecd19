import type {Job} from '../../../../model/api.generated.ts'
import type {FoundRun} from '../../../../control/client.ts'
import {type CommandContext, UsageError} from '../../command-handler.ts'
import {appIn, onlyWord} from '../workflow/target.ts'

const PAGE = 1000

/** The jobs of a run, and the time by which they fall due. */
export async function allJobs(
  {api}: FoundRun,
  query: {readonly app?: string}
): Promise<{readonly now: string; readonly jobs: readonly Job[]}> {
  const all: Job[] = []
  for (let after = 0; ;) {
    const {now, jobs, next} = await api.ask('GET /jobs', {query: {...query, limit: PAGE, after}})
    all.push(...jobs)
    if (next === null) return {now, jobs: all}
    after = next
  }
}

/** The job that the only argument names: `report`, `shop/report` or `app/shop/report`; names have no slash. Throws a UsageError. */
export function jobIn(context: CommandContext): {readonly name: string; readonly app?: string} {
  const word = onlyWord(context)
  const parts = word.split('/')
  const name = parts.pop() ?? ''
  if (parts.length === 2 && parts[0] === 'app') parts.shift()
  const [app] = parts
  if (name === '' || app === '' || parts.length > 1)
    throw new UsageError(`invalid argument "${word}": expected the name of a job, or APP/NAME`)
  const {app: flagged} = appIn(context)
  if (app !== undefined && flagged !== undefined && app !== flagged)
    throw new UsageError(`"${word}" is not a job of "${flagged}"`)
  return {name, ...appIn(context), ...(app !== undefined && {app})}
}
