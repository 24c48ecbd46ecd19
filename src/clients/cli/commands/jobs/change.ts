import type {JobChange} from '../../../../model/api.generated.ts'
import type {CommandContext, CommandHandler} from '../../command-handler.ts'
import {oneLine} from '../../../../observe/api/export/exporter.ts'
import {print} from '../../print.ts'
import {say} from '../../say.ts'
import {runOf} from '../workflow/target.ts'
import {jobIn} from './all-jobs.ts'

/** Carries out a verb, and reports it. */
async function ask(
  context: CommandContext,
  change: 'run' | 'pause' | 'resume' | 'delete',
  done: (change: JobChange) => string
): Promise<number> {
  const body = jobIn(context)
  const {api} = await runOf(context)
  const changed = await api.ask('POST /job/{change}', {at: {change}, body})
  const {outcome} = changed
  const isGood = outcome === null || outcome === 'done'
  if (context.flags.text('output') === 'json') print(process.stdout, `${JSON.stringify(changed)}\n`)
  else say(isGood ? process.stdout : process.stderr, isGood ? 'info' : 'failure', done(changed), context.asJson)
  return isGood ? 0 : 1
}

const named = ({job: {app, name}}: JobChange): string => `Job '${name}' of "${app}"`

/** `jobs run NAME` */
export const runJob: CommandHandler = async context =>
  ask(context, 'run', changed => {
    const {outcome, job} = changed
    const answer = oneLine(job.answer)
    if (outcome === 'done') return `${named(changed)} came, and was answered with ${answer}`
    return `${named(changed)} ${outcome === 'failed' ? 'failed' : 'did not come'}: ${answer}`
  })

/** `jobs pause NAME` */
export const pauseJob: CommandHandler = async context => ask(context, 'pause', each => `${named(each)} is paused`)

/** `jobs resume NAME` */
export const resumeJob: CommandHandler = async context =>
  ask(
    context,
    'resume',
    each => `${named(each)} ${each.job.next === null ? 'never comes again' : `comes again at ${each.job.next}`}`
  )

/** `jobs delete NAME` */
export const deleteJob: CommandHandler = async context => ask(context, 'delete', each => `${named(each)} is deleted`)
