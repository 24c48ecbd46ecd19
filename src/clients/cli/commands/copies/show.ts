import {join} from 'node:path'
import {runOfProcess, type FoundRun} from '../../../../control/client.ts'
import type {KnownCopy} from '../../../../control/known-copies.ts'
import {nameSpaceOf} from '../../../../control/space.ts'
import {UserError} from '../../../../model/errors.ts'
import {type CommandHandler, UsageError} from '../../command-handler.ts'
import {say} from '../../say.ts'
import {copyNamed} from './change.ts'
import {copiesOf} from './list.ts'

/** The word that means the main copy in commands, whatever name its folder has. */
const MAIN = 'main'

/** `show COPY`: that copy answers calls to the names and ports of the main one. `show main` ends it. */
export const showCopy: CommandHandler = async ({flags, words: [word, ...more], asJson}) => {
  if (word === undefined || more.length > 0) throw new UsageError('which copy? pillion show NAME, or pillion show main')
  const copies = copiesOf(flags)
  const main = copies.find(isMain)
  const shown = word === MAIN && copies.every(({name}) => name !== MAIN) ? main : copyNamed(copies, word)
  const [runOfMain, runOfShown] = [await runOf(main), await runOf(shown)]
  const others = (await Promise.all(copies.map(runOf))).filter(run => run !== undefined && !isSame(run, runOfShown))
  const tell = (text: string): void => say(process.stdout, 'success', text, asJson)
  if (shown === main) {
    await Promise.all(others.concat(runOfMain).map(async run => run?.api.ask('POST /show', {body: {kind: 'end'}})))
    tell(`${main?.name ?? MAIN} has its names and ports${runOfMain === undefined ? ' when it runs' : ' again'}`)
    return 0
  }
  if (runOfShown === undefined)
    throw new UserError(`${word} does not run`, {explanation: `Start it first: pillion up, in ${shown?.folder ?? '.'}`})
  const {listing, api} = runOfShown
  const name = main?.name ?? MAIN
  for (const run of others) if (!isSame(run, runOfMain)) await run?.api.ask('POST /show', {body: {kind: 'end'}})
  const body = {kind: runOfMain === undefined ? 'take' : 'lend', name, pid: runOfMain?.listing.pid ?? 0}
  const {ports} = await api.ask('POST /show', {body})
  const pass = {kind: 'pass', name: listing.name, pid: listing.pid, ports}
  await runOfMain?.api.ask('POST /show', {body: pass})
  const apps = Object.keys(ports).join(', ')
  tell(`${listing.name} answers the names and ports of ${name}${apps && `: ${apps}`}. pillion show main ends that`)
  const alone = runOfMain?.listing.apps.filter(({id, url, nameUrl = url}) => nameUrl !== '' && !(id in ports)) ?? []
  if (alone.length > 0)
    say(process.stderr, 'info', `${name} itself answers ${alone.map(({id}) => id).join(', ')}`, asJson)
  return 0
}

/** Whether a copy is the main one, whose host names contain only the app: it is not an added worktree, and has no `--name`. */
function isMain({folder, isGone, run, space}: KnownCopy): boolean {
  const file = run?.templateFile ?? join(folder, 'pillion.yaml')
  return !isGone && nameSpaceOf(process.env, {file, copy: run?.copy ?? space?.copy ?? '', name: ''}).copy === ''
}

const runOf = async (copy: KnownCopy | undefined): Promise<FoundRun | undefined> =>
  copy?.run && runOfProcess(process.env, copy.run.pid)

const isSame = (run: FoundRun | undefined, other: FoundRun | undefined): boolean =>
  run?.listing.pid === other?.listing.pid
