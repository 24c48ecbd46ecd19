import {findRuns, type FoundRun} from '../../control/client.ts'
import type {RunIdentity} from '../../control/run-file.ts'
import {UserError} from '../../model/errors.ts'
import type {CommandContext} from './command-handler.ts'
import type {GivenFlags} from './given-flags.ts'
import {elsewhere, runName, noRun, pickRun, commandPlace, runsAt, type RunPlace} from './pick-run.ts'
import type {Code} from './print.ts'
import {coded, say} from './say.ts'

/**
 * Returns all runs of the user that respond. Warns of skipped folders, of suspended runs that are not resumed, and of runs that do not
 * respond. Throws a UserError if runs exist but none responds: a user must not believe that nothing runs.
 */
export async function runsHere(
  asJson: boolean,
  resumes: (run: RunIdentity) => boolean = () => false,
  warn = (text: string): void => say(process.stderr, 'warning', text, asJson)
): Promise<readonly FoundRun[]> {
  const silent: string[] = []
  const runs = await findRuns(process.env, warn, {
    suspended: run => {
      if (resumes(run)) return 'resume'
      warn(`${titleOf(run)} is suspended: resume it with fg in its terminal, or with kill -CONT ${run.pid}`)
      return 'skip'
    },
    slow: (run, seconds) => silent.push(`${titleOf(run)} has not responded for ${seconds} s`)
  })
  const explanation = 'Try again: the machine may be busy. "kill -9 PID" ends the run, and its watchdog ends its apps.'
  const [first] = silent
  if (first !== undefined && runs.length === 0) throw new UserError(first, {explanation, code: 'run-silent'})
  for (const text of silent) warn(`${text}. ${explanation}`)
  return runs
}

const titleOf = ({templateFile, appIds, pid}: RunIdentity): string =>
  `the run of ${templateFile === '' ? `"${appIds.join(', ')}"` : templateFile} (pid ${pid})`

/** Returns the ids that a command names: its arguments, then `--app-id`; each once. */
export const idsOf = ({words, flags}: Pick<CommandContext, 'words' | 'flags'>): readonly string[] => [
  ...new Set([...words, flags.text('app-id') ?? []].flat())
]

/** Joins words to a filter, and restores the quotes that a shell has removed: `body:order 7` is one term, as is `body:{"id": 7}`. */
export const typedFilter = (words: readonly string[]): string =>
  words.map(word => (ONE_TEXT.test(word) ? `"${word.replaceAll('"', '\\"')}"` : word)).join(' ')

/** Matches a term whose text contains blanks and no further term. In `span:db.statement="SELECT 1" charge`, `charge` is a further term. */
const ONE_TEXT = /^[-!]?(?:header|body|span):(?![^\s"{[]*"[^"]*"(?!:))(?!.*\s[-!]?[a-z]+:\S).*\s/s

/** Finds the run that a command is for (`pickRun`). Names a run of another folder once, so that the user notices it. */
export class RunFinder {
  readonly runs: readonly FoundRun[]
  readonly place: RunPlace
  readonly #tell: (text: string, code?: Code) => void
  readonly #named = new Set<FoundRun>()

  constructor(runs: readonly FoundRun[], place: RunPlace, tell: (text: string, code?: Code) => void) {
    this.runs = runs
    this.place = place
    this.#tell = tell
  }

  /** Returns the run, or the run that has the app `id`, if there is one. Throws a UserError for several. */
  look(id?: string): FoundRun | undefined {
    const run = pickRun(this.runs, this.place, {id})
    if (run !== undefined) this.use(run)
    return run
  }

  /** Prints, once, the name of a run of another folder that the command uses. */
  use(run: FoundRun): void {
    if (this.#named.has(run) || runsAt(this.runs, this.place).flat().includes(run)) return
    this.#named.add(run)
    this.#tell(`Using the run of another folder: ${runName(run.listing)}`)
  }

  /** As `look`. Without a run, also prints that it is starting, or that only templates of other folders run. */
  lookAloud(id?: string): FoundRun | undefined {
    const run = this.look(id)
    const others = elsewhere(this.runs, this.place)
    if (run === undefined && others !== '') this.#tell(coded(others, 'no-run'), 'no-run')
    return run
  }

  /** As `look`. Throws a UserError if there is no run. */
  find(id?: string): FoundRun {
    const run = this.look(id)
    if (run === undefined) throw noRun(this.runs, this.place, id)
    return run
  }
}

/** Creates the finder for a command with these flags; it reports other folders on stderr. Throws a UserError if the template that `--run-file` names is not there. */
export async function runFinder(
  flags: GivenFlags,
  asJson: boolean,
  tell = (text: string, code?: Code): void => say(process.stderr, 'info', text, asJson, code)
): Promise<RunFinder> {
  const place = commandPlace(flags)
  return new RunFinder(await runsHere(asJson), place, tell)
}

/** Returns the run that a command is for. Throws a UserError if there is none, or there are several. */
export const runHere = async (flags: GivenFlags, asJson: boolean): Promise<FoundRun> =>
  (await runFinder(flags, asJson)).find()
