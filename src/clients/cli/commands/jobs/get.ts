import type {JobDetail} from '../../../../model/api.generated.ts'
import type {CommandHandler} from '../../command-handler.ts'
import {relativeTime} from '../../age.ts'
import {oneLine} from '../../../../observe/api/export/exporter.ts'
import {print} from '../../print.ts'
import {runOf} from '../workflow/target.ts'
import {jobIn} from './all-jobs.ts'
import {nextText} from './list.ts'

/** `jobs get NAME`: a job with its data. */
export const getJob: CommandHandler = async context => {
  const query = jobIn(context)
  const {api} = await runOf(context)
  const job = await api.ask('GET /job', {query})
  print(process.stdout, context.flags.text('output') === 'json' ? `${JSON.stringify(job)}\n` : jobText(job))
  return 0
}

function jobText(job: JobDetail): string {
  const now = Date.parse(job.now)
  const time = (at: string | null): string | null =>
    at === null ? null : `${at} (${relativeTime(Date.parse(at), now)})`
  const lines: readonly (readonly [head: string, text: string | number | null])[] = [
    ['name', job.name],
    ['app', job.app],
    ['schedule', job.schedule],
    ['due time', job.dueTime],
    ['repeats', job.repeats],
    ['ttl', job.ttl],
    ['failure policy', job.failurePolicy],
    ['scheduled', time(job.begin)],
    ['count', job.count],
    ['last', time(job.last)],
    ['next', nextText(job, time(job.next) ?? '')],
    ['ends', time(job.expires)],
    ['answer', oneLine(job.answer) || null],
    ['data', job.data === null ? null : oneLine(job.data)]
  ]
  const width = Math.max(...lines.map(([head]) => head.length))
  return lines.flatMap(([head, text]) => (text === null ? [] : [`${`${head}:`.padEnd(width + 2)}${text}\n`])).join('')
}
