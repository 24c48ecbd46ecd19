import {createHash} from 'node:crypto'
import {existsSync, readFileSync} from 'node:fs'
import {dirname, join, relative} from 'node:path'
import {UserError} from '../../../model/errors.ts'
import type {Plan} from '../../../model/plan.ts'
import {runLines} from '../../../platform/run-lines.ts'
import {alone, readPrepared, writePrepared, type AddedWorktree} from './worktree.ts'

/** Files by which package managers make an install the same again. */
const LOCK_FILES = [
  'package-lock.json',
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock',
  'bun.lockb',
  'uv.lock',
  'poetry.lock',
  'Pipfile.lock',
  'requirements.txt',
  'go.sum',
  'Cargo.lock',
  'Gemfile.lock',
  'composer.lock'
]

/** A command that makes a folder ready. */
interface Setup {
  /** The app; '' = all of the template. */
  readonly app: string
  readonly command: readonly string[]
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

/**
 * Runs the `setup` of the template, then those of its apps, one after the other: each once in a worktree, and again when a lock file in its
 * folder has changed. A second start waits for those of the first. Rejects with a UserError if one fails: it runs again at the next start.
 */
export async function setUp(worktree: AddedWorktree, plan: Plan, print: (line: string) => void): Promise<void> {
  const setups = setupsOf(plan)
  // a start that has nothing to do writes nothing, and waits for nothing
  if (setups.every(each => isDone(worktree, each))) return
  await alone(
    worktree,
    text => print(`== SETUP == ${text}`),
    async () => runSetups(worktree, setups, print)
  )
}

const keyOf = ({root}: AddedWorktree, {folder, command}: Setup): string =>
  `${relative(root, folder)} ${command.join(' ')}`

const isDone = (worktree: AddedWorktree, setup: Setup): boolean =>
  readPrepared(worktree).setups[keyOf(worktree, setup)] === locksIn(setup.folder)

async function runSetups(worktree: AddedWorktree, all: readonly Setup[], print: (line: string) => void): Promise<void> {
  for (const each of all) {
    if (isDone(worktree, each)) continue
    const {app, command, folder, env} = each
    const prefix = app === '' ? '== SETUP ==' : `== SETUP - ${app} ==`
    print(`${prefix} ${command.join(' ')}`)
    const {why} = await runLines(command, {folder, env, onLine: line => print(`${prefix} ${line}`)})
    if (why !== '')
      throw new UserError(`setup${app === '' ? '' : ` of "${app}"`} failed: ${command.join(' ')} ${why}`, {
        explanation: `Nothing was started. It ran in ${folder}, and runs again at the next start.`
      })
    // a lock file that the setup has changed itself is not a change
    const {setups, ...rest} = readPrepared(worktree)
    writePrepared(worktree, {...rest, setups: {...setups, [keyOf(worktree, each)]: locksIn(folder)}})
  }
}

function setupsOf({file, setup = [], apps}: Plan): readonly Setup[] {
  const ofApps = apps.flatMap(({id, setup: command = [], folder, env}) => ({app: id, command, folder, env}))
  const all = [{app: '', command: setup, folder: dirname(file), env: {}}, ...ofApps].filter(
    each => each.command.length > 0
  )
  return [...new Map(all.map(each => [JSON.stringify([each.folder, each.command]), each])).values()]
}

function locksIn(folder: string): string {
  const hash = createHash('sha256')
  for (const name of LOCK_FILES) {
    const path = join(folder, name)
    if (existsSync(path)) hash.update(`${name}\0`).update(readFileSync(path))
  }
  return hash.digest('hex')
}
