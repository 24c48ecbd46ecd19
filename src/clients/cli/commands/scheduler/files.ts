import {readFileSync, writeFileSync} from 'node:fs'
import type {KeptJob} from '../../../../model/api.generated.ts'
import {codeOf, messageOf, UserError} from '../../../../model/errors.ts'
import {orElse} from '../../../../model/or-else.ts'
import {utf8Text} from '../../../../model/read-file.ts'
import type {CommandHandler} from '../../command-handler.ts'
import {say} from '../../say.ts'
import {runOf} from '../workflow/target.ts'

/** Value of `kind` by which `import` recognizes a file of `export`. */
const KIND = 'pillion-jobs'
/** Number of jobs in one request to the run. */
const PIECE = 500

/** `scheduler export -o FILE`: writes the jobs of a run and how often each was delivered, without reminders and timers. */
export const exportJobs: CommandHandler = async context => {
  const file = context.flags.text('output-file') ?? ''
  const {api} = await runOf(context)
  const jobs: KeptJob[] = []
  for (let after: number | null = 0; after !== null;) {
    const {jobs: some, next = null}: {readonly jobs: readonly KeptJob[]; readonly next?: number | null} = await api.ask(
      'GET /scheduled/jobs',
      {query: {after}}
    )
    jobs.push(...some)
    after = next
  }
  try {
    // only the user may read the file: data of apps may be secret
    writeFileSync(file, `${JSON.stringify({kind: KIND, version: 1, jobs}, null, 1)}\n`, {flag: 'wx', mode: 0o600})
  } catch (error) {
    const isThere = codeOf(error) === 'EEXIST'
    throw new UserError(isThere ? `file '${file}' already exists` : `cannot write ${file}: ${messageOf(error)}`)
  }
  const counters = jobs.filter(({count}) => count > 0).length
  say(process.stdout, 'info', `Exported ${jobs.length} jobs and ${counters} counters.`, context.asJson)
  say(process.stdout, 'info', `Export to '${file}' complete.`, context.asJson)
  return 0
}

/** `scheduler import -f FILE`: schedules the jobs of an exported file. */
export const importJobs: CommandHandler = async context => {
  const file = context.flags.text('input-file') ?? ''
  const jobs = jobsIn(file)
  const {api} = await runOf(context)
  let count = 0
  for (let at = 0; at < jobs.length; at += PIECE) {
    const taken = await api.ask('POST /scheduled/jobs', {body: {jobs: jobs.slice(at, at + PIECE)}})
    count += taken.jobs + taken.counters
  }
  say(process.stdout, 'info', `Imported ${count} items.`, context.asJson)
  say(process.stdout, 'info', `Import from '${file}' complete.`, context.asJson)
  return 0
}

/** Returns the jobs of an exported file. Throws a UserError if it cannot be read, or has another format. */
function jobsIn(file: string): readonly unknown[] {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    throw new UserError(`cannot read ${file}: ${messageOf(error)}`)
  }
  type Read = Readonly<Partial<Record<'kind' | 'version' | 'jobs', unknown>>>
  const {kind, version, jobs} = orElse(() => JSON.parse(utf8Text(bytes)) as Read | null, null) ?? {}
  if (kind === KIND && version === 1 && Array.isArray(jobs)) return jobs
  const isGob = bytes.includes(0)
  throw new UserError(`${file} is not a file that "pillion scheduler export" has written`, {
    explanation: isGob
      ? "It looks like one of Dapr's own, in Go's gob: those are read by Dapr's scheduler alone."
      : 'Export writes JSON with "kind": "pillion-jobs".'
  })
}
