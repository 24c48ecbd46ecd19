import {runOfProcess} from '../../control/client.ts'
import {knownCopies, startsOf, type KnownCopy} from '../../control/known-copies.ts'
import {startingRuns} from '../../control/starting-runs.ts'
import type * as Api from '../../model/api.generated.ts'
import type {ApiContext} from './route.ts'
import {ApiProblem} from './problem.ts'

/** Lists the copies of the template. Returns none for a run without a template, or with a template from standard input. */
export function copiesView(context: ApiContext): Api.Copies {
  const starts = startingRuns(context.template.env)
  const stateOf = (copy: KnownCopy): Api.Copy['state'] => {
    if (copy.run !== undefined) return 'running'
    if (startsOf([copy], starts).some(({name}) => name === copy.name)) return 'starting'
    return copy.isGone ? 'gone' : 'stopped'
  }
  const {answeredBy, answersFor} = context.control.list()
  const copies = copiesOf(context).map(copy => {
    const {name, folder, branch, run} = copy
    const isThis = run?.pid === process.pid
    const isShown = isThis ? answersFor !== undefined : name === answeredBy
    return {name, folder, branch, state: stateOf(copy), pid: run?.pid ?? 0, isThis, ...(isShown && {isShown})}
  })
  return {copies}
}

/** Opens the page of the copy whose run has this pid. Throws an ApiProblem if no other copy has it. */
export async function openCopy(context: ApiContext, pid: number): Promise<Api.Dashboard> {
  const others = copiesOf(context).flatMap(({run}) => (run === undefined || run.pid === process.pid ? [] : run))
  if (others.some(run => run.pid === pid)) {
    const run = await runOfProcess(context.template.env, pid)
    if (run !== undefined) return run.api.ask('POST /dashboard', {query: {}})
    const hint = 'It is suspended (fg continues it), or busy, or another version of Pillion runs it.'
    throw new ApiProblem(409, `the copy with pid ${pid} does not answer`, hint)
  }
  throw new ApiProblem(
    404,
    `no other copy runs with pid ${pid}`,
    others.length === 0 ? 'No other copy runs.' : `There are: ${others.map(run => run.pid).join(', ')}.`
  )
}

function copiesOf({template: {files, isStdin, env}}: ApiContext): readonly KnownCopy[] {
  const [file] = files
  return file === undefined || isStdin ? [] : knownCopies(env, file)
}
