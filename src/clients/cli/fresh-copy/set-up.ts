import {createHash} from 'node:crypto'
import {existsSync, lstatSync, readFileSync} from 'node:fs'
import {dirname, join, relative} from 'node:path'
import {whileLocked} from '../../../control/lock.ts'
import {UserError} from '../../../model/errors.ts'
import type {Plan} from '../../../model/plan.ts'
import {runLines} from '../../../platform/run-lines.ts'
import {readPrepared, writePrepared, type AddedWorktree} from './worktree.ts'

/** What package managers write for an install to be the same again. */
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
  const lock = join(worktree.gitFolder, 'pillion.lock')
  if (lstatSync(lock, {throwIfNoEntry: false}) !== undefined)
    print('== SETUP == waits for another start of this worktree')
  await whileLocked(lock, async () => runSetups(worktree, plan, print))
}

async function runSetups(worktree: AddedWorktree, plan: Plan, print: (line: string) => void): Promise<void> {
  for (const {app, command, folder, env} of setupsOf(plan)) {
    const {setups, ...rest} = readPrepared(worktree)
    const key = `${relative(worktree.root, folder)} ${command.join(' ')}`
    const locks = locksIn(folder)
    if (setups[key] === locks) continue
    const prefix = app === '' ? '== SETUP ==' : `== SETUP - ${app} ==`
    print(`${prefix} ${command.join(' ')}`)
    const {why} = await runLines(command, {folder, env, onLine: line => print(`${prefix} ${line}`)})
    if (why !== '')
      throw new UserError(`setup${app === '' ? '' : ` of "${app}"`} failed: ${command.join(' ')} ${why}`, {
        explanation: `Nothing was started. It ran in ${folder}, and runs again at the next start.`
      })
    // what it has locked itself is not a change
    writePrepared(worktree, {...rest, setups: {...setups, [key]: locksIn(folder)}})
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
