import {failureOf} from './failure.ts'
import {isTerminal} from './status.ts'
import type {WorkflowStore} from './workflow-store.ts'

/** So many are named. */
const MAX_NAMED = 10

/** A line for each instance that has failed or still waits. */
export function unfinishedLines(store: WorkflowStore): readonly string[] {
  const lines = store.unfinished(MAX_NAMED + 1).map(({app, name, id, status, failure}) => {
    const why = failure === undefined ? '' : `: ${failureOf(failure).message}`
    return `${app}: workflow '${name}' '${id}' ${isTerminal(status) ? `has failed${why}` : 'still waits'}`
  })
  return lines.length <= MAX_NAMED ? lines : [...lines.slice(0, MAX_NAMED), 'and more workflows']
}
