import {createHash} from 'node:crypto'
import {existsSync, readFileSync} from 'node:fs'
import {basename, dirname, join, relative} from 'node:path'
import {UserError} from '../../../model/errors.ts'
import type {Plan} from '../../../model/plan.ts'
import {runLines} from '../../../platform/run-lines.ts'
import {alone, readPrepared, writePrepared, type AddedWorktree} from './worktree.ts'

/** Lock files of package managers. After a change of one, `setup` runs again. */
const LOCK_FILES = [
  ...'package-lock.json npm-shrinkwrap.json pnpm-lock.yaml yarn.lock bun.lock bun.lockb uv.lock'.split(' '),
  ...'poetry.lock Pipfile.lock requirements.txt go.sum Cargo.lock Gemfile.lock composer.lock'.split(' ')
]

/** A `setup` or `teardown` command of a template. */
interface Setup {
  /** The id of the app; '': the command is of the whole template. */
  readonly app: string
  readonly command: readonly string[]
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

/**
 * Runs the `setup` of the template, then of its apps, one after the other: each once in a worktree, and again when a lock file in its folder has changed. A second start waits for the first. Rejects with a UserError if one fails: it runs again at the next start.
 */
export async function setUp(worktree: AddedWorktree, plan: Plan, print: (line: string) => void): Promise<void> {
  const setups = commandsOf(plan, 'setup', plan.copy ?? basename(worktree.root))
  // without commands to run, a start neither writes nor waits
  if (setups.every(each => isDone(worktree, each))) return
  await alone(
    worktree,
    text => print(`== SETUP == ${text}`),
    async () => runSetups(worktree, setups, print)
  )
}

/** Returns the command line of each `teardown` in a plan, for messages. */
export const teardownsOf = (plan: Plan): readonly string[] =>
  commandsOf(plan, 'teardown', '').map(({command}) => `the teardown ${command.join(' ')}`)

/** Runs the `teardown` of the apps of a copy, then of the template. Rejects with a UserError if one fails. */
export async function tearDown(plan: Plan, copy: string, print: (line: string) => void): Promise<void> {
  for (const {command, folder, env} of commandsOf(plan, 'teardown', copy).toReversed()) {
    const {why} = await runLines(command, {folder, env, onLine: line => print(`== TEARDOWN == ${line}`)})
    if (why === '') continue
    throw new UserError(`teardown failed: ${command.join(' ')} ${why}`, {
      explanation: `Nothing of ${copy} was removed. It ran in ${folder}.`
    })
  }
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
    // reads the lock files after the setup: a change that the setup itself made does not run it again
    const {setups, ...rest} = readPrepared(worktree)
    writePrepared(worktree, {...rest, setups: {...setups, [keyOf(worktree, each)]: locksIn(folder)}})
  }
}

/** Returns the commands of a key of a plan. Each finds the name of the copy in the variable `PILLION_COPY`. */
function commandsOf(plan: Plan, key: 'setup' | 'teardown', copy: string): readonly Setup[] {
  const more = {PILLION_COPY: copy}
  const ofApps = plan.apps.map(app => ({app: app.id, command: app[key] ?? [], folder: app.folder, env: app.env}))
  const all = [{app: '', command: plan[key] ?? [], folder: dirname(plan.file), env: {}}, ...ofApps]
  const given = all.filter(each => each.command.length > 0).map(each => ({...each, env: {...each.env, ...more}}))
  return [...new Map(given.map(each => [JSON.stringify([each.folder, each.command]), each])).values()]
}

function locksIn(folder: string): string {
  const hash = createHash('sha256')
  for (const name of LOCK_FILES) {
    const path = join(folder, name)
    if (existsSync(path)) hash.update(`${name}\0`).update(readFileSync(path))
  }
  return hash.digest('hex')
}
