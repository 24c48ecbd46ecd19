import {existsSync} from 'node:fs'
import {announceStart, ownStart, whilePreparing} from '../../../control/starting-runs.ts'
import {findTemplates} from '../../../files/config/find.ts'
import {UserError} from '../../../model/errors.ts'
import type {Plan} from '../../../model/plan.ts'
import type {CommandContext} from '../command-handler.ts'
import {print} from '../print.ts'
import {say} from '../say.ts'
import {addedWorktreeOf, inMain, type AddedWorktree} from './worktree.ts'

/** Prepares a worktree before its template is read, and before its apps start. */
export class FreshCopy {
  readonly #worktree: AddedWorktree
  readonly #file: string
  /** The name of the run (`--name`); may be empty. */
  readonly #copy: string
  readonly #asJson: boolean

  /** Returns the copy of these templates, if they exist in an added worktree. */
  static of(files: readonly string[], {flags, asJson}: CommandContext): FreshCopy | undefined {
    try {
      const [found] = findTemplates(files, process.cwd())
      const worktree = found === undefined ? undefined : addedWorktreeOf(found.folder)
      return found === undefined || worktree === undefined
        ? undefined
        : new FreshCopy(worktree, found.file, {copy: flags.text('name') ?? '', asJson})
    } catch {
      return undefined // the code that reads the file reports the error
    }
  }

  private constructor(worktree: AddedWorktree, file: string, {copy, asJson}: {copy: string; asJson: boolean}) {
    this.#worktree = worktree
    this.#file = file
    this.#copy = copy
    this.#asJson = asJson
  }

  /** Copies files that git does not carry from the main working tree. From now on `down` can end this start. Rejects with a UserError. */
  async bring(): Promise<void> {
    await announceStart(process.env, ownStart(this.#file, this.#copy))
    const {bring} = await import('./bring.ts')
    await whilePreparing('its files come from the main working tree', async () =>
      bring(this.#worktree, this.#file, {
        onProgress: text => say(process.stderr, 'info', text, this.#asJson),
        onDone: text => say(process.stderr, 'info', text, this.#asJson),
        onLeftOut: text => say(process.stderr, 'warning', text, this.#asJson)
      })
    )
  }

  /** Adds to an error about a missing file its place in the main working tree, and throws it. */
  readonly explained = (error: unknown): never => {
    if (!(error instanceof UserError)) throw error
    const there = error.mendedBy.filter(path => !existsSync(path)).map(path => inMain(this.#worktree, path))
    const found = there.find(path => existsSync(path))
    if (found === undefined) throw error
    const explanation = `${error.explanation}\nThe main working tree has it: ${found}`.trimStart()
    const {stream, exitCode, code, mistakes, mendedBy} = error
    throw new UserError(error.message, {stream, exitCode, code, mistakes, mendedBy, explanation})
  }

  /** Registers the copy, so that `copies forget` can run its `teardown` later, and runs `setup`. Rejects with a UserError if that fails. */
  async setUp(plan: Plan): Promise<void> {
    if ([plan, ...plan.apps].every(({setup, teardown}) => setup === undefined && teardown === undefined)) return
    const [{setUp}, {spaceOf}] = await Promise.all([import('./set-up.ts'), import('../../../control/space.ts')])
    // `copies forget` finds the copy by its registered data (space), even after its folder was removed
    await spaceOf(process.env, {file: plan.file, copy: this.#copy})
    await whilePreparing('its setup runs', async () =>
      setUp(this.#worktree, plan, line => print(process.stderr, `${line}\n`))
    )
  }
}
