import {relative} from 'node:path'
import {isDeepStrictEqual} from 'node:util'
import {folderOf, Watch, type WatchOptions} from '../../watcher/watcher.ts'
import type {AppPlan} from '../../model/plan.ts'
import {RestartLimiter} from './restart-limiter.ts'
import type {Reporter} from '../../model/reporter.ts'

/** An app whose files are followed. */
export interface Watched {
  readonly id: string
  readonly plan: AppPlan
}

export interface WatchingOptions<M extends Watched> {
  /** When the run began, in ms since 1970: what changed since counts. */
  readonly since: number
  /** Edits of these are no changes of an app's files. */
  readonly templateFiles: readonly string[]
  /** Files of the app changed: their paths relative to its folder. */
  readonly reload: (runtime: M, files: readonly string[]) => void
  readonly reporter: Reporter
}

interface Followed {
  readonly watch: Watch
  readonly limiter: RestartLimiter
}

/** The files that a run follows: those of its watched apps, and those that its template is made of. */
export class Watching<M extends Watched> {
  readonly #options: WatchingOptions<M>
  readonly #followed = new Map<M, Followed>()
  #template: {readonly watch: Watch; readonly files: readonly string[]} | undefined
  /** Why some are looked at every half second is told once for each reason. */
  readonly #told = new Set<string>()

  constructor(options: WatchingOptions<M>) {
    this.#options = options
  }

  /** Settles when every change is seen from now on. */
  async add(runtime: M): Promise<void> {
    const {folder, watch: plan, command} = runtime.plan
    if (plan.paths.length === 0 || command.length === 0 || this.#followed.has(runtime)) return
    const {reload, reporter, since, templateFiles} = this.#options
    const limiter = new RestartLimiter({
      reload: files => reload(runtime, files),
      suspended: file =>
        reporter.warn(
          'watch-limited',
          `"${runtime.id}" was restarted 30 times within 60 s, most often because of ${file}: it is restarted again once its files have rested for 10 s, or by "restart --app-id ${runtime.id}". What it writes itself belongs into watch.ignore.`
        )
    })
    const ours = new Set(templateFiles.map(file => relative(folder, file)))
    const changed = (paths: readonly string[]): void => {
      const theirs = paths.filter(path => !ours.has(path))
      if (theirs.length > 0) limiter.changed(theirs)
    }
    const watch = this.#open({folder, watch: plan, since, changed}, `"${runtime.id}"`)
    this.#followed.set(runtime, {watch, limiter})
    await watch.open()
  }

  async remove(runtime: M): Promise<void> {
    const followed = this.#followed.get(runtime)
    this.#followed.delete(runtime)
    followed?.limiter.close()
    await followed?.watch.close()
  }

  /** Somebody restarts it by hand. */
  lift(runtime: M): void {
    this.#followed.get(runtime)?.limiter.lift()
  }

  /** Follows these files, and no longer those of the last call; what was saved after `since` (ms since 1970) counts. */
  async followTemplate(files: readonly string[], since: number, changed: () => void): Promise<void> {
    if (isDeepStrictEqual(this.#template?.files, files)) return
    await this.#template?.watch.close()
    const watch = this.#open({folder: folderOf(files), watch: {files}, since, changed}, 'the template')
    this.#template = {watch, files}
    await watch.open()
  }

  async close(): Promise<void> {
    await Promise.all([
      this.#template?.watch.close(),
      ...[...this.#followed.keys()].map(async runtime => this.remove(runtime))
    ])
  }

  #open(options: Omit<WatchOptions, 'polls'>, whose: string): Watch {
    return new Watch({
      ...options,
      polls: why => {
        if (this.#told.has(why)) return
        this.#told.add(why)
        this.#options.reporter.warn('watch-limited', `polling the files of ${whose} every 500 ms: ${why}`)
      }
    })
  }
}
