import {rmSync, existsSync, readFileSync} from 'node:fs'
import {basename, join} from 'node:path'
import {endRun} from '../../../../control/client.ts'
import {runtimeFolders, usableFolder} from '../../../../control/folder.ts'
import {startsOf, type KnownCopy} from '../../../../control/known-copies.ts'
import type {RunIdentity} from '../../../../control/run-file.ts'
import {oneByOne} from '../../../../control/run-name.ts'
import {endBySignal, startingRuns} from '../../../../control/starting-runs.ts'
import {findTemplate} from '../../../../files/config/find.ts'
import {loadTemplate} from '../../../../files/config/load.ts'
import {UserError} from '../../../../model/errors.ts'
import type {Plan} from '../../../../model/plan.ts'
import {type CommandHandler, UsageError} from '../../command-handler.ts'
import type {GivenFlags} from '../../given-flags.ts'
import {confirm} from '../../input.ts'
import {commandPlace} from '../../pick-run.ts'
import {print} from '../../print.ts'
import {runsHere} from '../../run-here.ts'
import {say} from '../../say.ts'
import {tearDown, teardownsOf} from '../../fresh-copy/set-up.ts'
import {surroundings} from '../../template-named.ts'
import {copiesOf} from './list.ts'
import {namesInFolder} from '../../../../platform/paths.ts'
import type {Environment} from '../../../../model/environment.ts'
import {stateFolder} from '../../../../platform/state-folder.ts'
import {notesFolder} from '../../../../work/work-path.ts'

/** `copies down NAME …` or `--all`: ends running and starting copies of the folder's template. */
export const downCopies: CommandHandler = async ({flags, words, asJson}) => {
  const isAll = flags.isSet('all')
  if (!isAll && words.length === 0) throw new UsageError('which copy? pillion copies down NAME, or --all')
  const isMeant = ({name}: {readonly name: string}): boolean => isAll || words.includes(name)
  const starts = startingRuns(process.env) // read first: a start that becomes a run meanwhile is found among the runs
  const copies = copiesOf(flags)
  const starting = startsOf(copies, starts).filter(isMeant)
  // a run that `--name` has just started is not among the copies yet
  const isNew = (word: string): boolean => starting.some(({copy}) => copy === word)
  const others = words.filter(word => !isNew(word))
  if (!isAll) named(copies, others)
  const running = copies
    .filter(isMeant)
    .flatMap(({name, run}) => (run === undefined || starting.some(({pid}) => pid === run.pid) ? [] : [{...run, name}]))
  if (running.length + starting.length === 0) {
    say(process.stdout, 'info', 'There is nothing to stop: no such copy is running', asJson)
    return 0
  }
  const tellSlow = (pid: number): void =>
    say(process.stderr, 'warning', `the run with pid ${pid} is still stopping`, asJson)
  await endBySignal(starting, tellSlow)
  const runs = running.length === 0 ? [] : await runsHere(asJson, ({pid}) => running.some(run => run.pid === pid))
  const endOne = async (run: RunIdentity): Promise<unknown> => {
    const found = runs.find(({listing}) => listing.pid === run.pid)
    return found === undefined ? endBySignal([run], tellSlow) : endRun(found, tellSlow)
  }
  await Promise.all(running.map(endOne))
  for (const {name} of [...starting, ...running]) say(process.stdout, 'success', `${name} was stopped`, asJson)
  return 0
}

/** `copies forget NAME … [--yes]`: runs the `teardown` of copies, and removes their data (`remainsOf`). Asks first. */
export const forgetCopies: CommandHandler = async ({flags, words, asJson}) => {
  if (words.length === 0) throw new UsageError('which copy? pillion copies forget NAME')
  for (const {name} of named(copiesOf(flags), [...new Set(words)])) {
    const asked = remainsNow(flags, name)
    if (asked.length === 0) {
      say(process.stdout, 'info', `${name} has nothing to forget`, asJson)
      continue
    }
    const plan = await planOf(flags, copyNamed(copiesOf(flags), name))
    const what = [...asked.map(shownRemains), ...teardownsOf(plan)].join(', ')
    await confirm(`remove what ${name} keeps: ${what}`, flags.isSet('yes'))
    remainsNow(flags, name) // throws if another command has started the copy before the user's answer
    const {space} = copyNamed(copiesOf(flags), name)
    const copy = space === undefined ? name : space.copy || basename(space.root)
    await tearDown(plan, copy, line => print(process.stderr, `${line}\n`))
    // `remainsNow` throws if the copy was started during the teardown; within `oneByOne` a start waits until all is removed
    await oneByOne(usableFolder(runtimeFolders(process.env)), async () => {
      for (const path of remainsNow(flags, name)) rmSync(path, {recursive: true, force: true})
      return Promise.resolve()
    })
    say(process.stdout, 'success', `${name} is forgotten`, asJson)
  }
  return 0
}

/** Returns the plan whose `teardown` applies to a copy: its own template, or the one of this folder if the folder of the copy is gone. */
async function planOf(flags: GivenFlags, {isGone, folder}: KnownCopy): Promise<Plan> {
  const here = commandPlace(flags).template ?? findTemplate('.', process.cwd()).file
  const file = isGone ? here : findTemplate(folder, process.cwd()).file
  return (await loadTemplate([file], surroundings(), {watch: false})).plan
}

/** Lists the remains of a copy. Throws a UserError while it runs or starts. */
function remainsNow(flags: GivenFlags, called: string): readonly string[] {
  const copy = copyNamed(copiesOf(flags), called)
  const run = copy.run ?? startsOf([copy], startingRuns(process.env)).find(({name}) => name === called)
  if (run === undefined) return remainsOf(process.env, copy)
  throw new UserError(`${called} is ${copy.run === undefined ? 'being started' : 'running'} (pid ${run.pid})`, {
    explanation: `Stop it first: pillion copies down ${called}`,
    code: 'not-now'
  })
}

const named = (copies: readonly KnownCopy[], names: readonly string[]): readonly KnownCopy[] =>
  names.map(name => copyNamed(copies, name))

/** Returns the copy with a name. Throws a UserError for no or several copies. */
export function copyNamed(copies: readonly KnownCopy[], name: string): KnownCopy {
  const [found, other] = copies.filter(each => each.name === name)
  if (found === undefined)
    throw new UserError(`no copy is called ${name}`, {
      explanation: `The copies are: ${[...new Set(copies.map(each => each.name))].join(', ')}`,
      code: 'no-such-run'
    })
  if (other !== undefined)
    throw new UserError(`two copies are called ${name}`, {explanation: `${found.folder}\n${other.folder}`})
  return found
}

/**
 * Returns the remains of a copy in the state folder: its own data, and, if its folder is gone, its workflows, jobs and reminders, and the
 * records of its runs. While the folder exists, its next run needs these.
 */
function remainsOf(env: Environment, {folder, isGone, space}: KnownCopy): readonly string[] {
  const apart = space === undefined ? [] : [space.folder]
  return [...apart, ...(isGone ? [...workOf(env, folder), ...memoryOf(env, folder)] : [])].filter(path =>
    existsSync(path)
  )
}

/** Describes a remaining path for the user. A file of exits or runs is shown by the path of the template that its name contains. */
const shownRemains = (path: string): string =>
  path.replace(
    /^.*\/(exits|runs)\/(.*)\.jsonl$/,
    (_, kind: string, name: string) => `${kind} of ${name.replaceAll('%2F', '/')}`
  )

const isInside = (folder: string, path: unknown): boolean =>
  typeof path === 'string' && `${path}/`.startsWith(`${folder}/`)

/** Returns the work files (workflows, jobs, reminders) of a folder, with the notes that map each to its folder. */
function workOf(env: Environment, folder: string): readonly string[] {
  return namesInFolder(notesFolder(env)).flatMap(name => {
    const note = join(notesFolder(env), name)
    try {
      const owner = JSON.parse(readFileSync(note, 'utf8')) as {readonly folder?: unknown; readonly path?: unknown}
      const {path} = owner
      if (!isInside(folder, owner.folder) || typeof path !== 'string') return []
      return [note, path, `${path}-wal`, `${path}-shm`]
    } catch {
      return [] // another process is just writing the note
    }
  })
}

/** Returns the records of exits and runs of a folder. Each file has the path of its template as its name. */
const memoryOf = (env: Environment, folder: string): readonly string[] =>
  ['exits', 'runs'].flatMap(kind => {
    const all = join(stateFolder(env), kind)
    return namesInFolder(all).flatMap(name =>
      name.startsWith(encodeURIComponent(`${folder}/`)) ? [join(all, name)] : []
    )
  })
