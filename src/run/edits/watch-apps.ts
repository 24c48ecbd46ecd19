import {dirname} from 'node:path'
import {existsSync} from 'node:fs'
import {isDeepStrictEqual} from 'node:util'
import {Watch, type WatchOptions} from '../../files/watcher/watcher.ts'
import {systemClock} from '../../platform/clock.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import {RestartLimiter} from './restart-limiter.ts'
import type {Reporter} from '../../model/reporter.ts'

/** Called with the changed files of an app, relative to its folder. */
export type OnFiles = (runtime: AppRuntime, files: readonly string[]) => void

interface Followed {
  readonly watch: Watch
  readonly what: Pick<WatchOptions, 'folder' | 'watch'>
  readonly limiter: RestartLimiter
}

/** Watches the files of the watched apps and of the template. */
export class Watching {
  readonly #onFiles: OnFiles
  readonly #reporter: Reporter
  readonly #followed = new Map<AppRuntime, Followed>()
  #template: {readonly watch: Watch; readonly files: readonly string[]} | undefined
  #templateFiles: readonly string[]
  /** Reasons for polling that have been reported. */
  readonly #reported = new Set<string>()

  /** `templateFiles`: their changes are not changes of an app. */
  constructor(templateFiles: readonly string[], onFiles: OnFiles, reporter: Reporter) {
    this.#templateFiles = templateFiles
    this.#onFiles = onFiles
    this.#reporter = reporter
  }

  /**
   * Watches the files of the app's wanted plan. Changes after `since` (ms since 1970) count. A watch of the same files stays; any other
   * reports its changes. Settles when the app is being watched.
   */
  async follow(runtime: AppRuntime, since: number): Promise<void> {
    const {folder, watch: plan, command} = runtime.wanted
    const before = this.#followed.get(runtime)
    if (plan.paths.length === 0 || command.length === 0) return this.remove(runtime)
    const what = {folder, watch: plan}
    if (isDeepStrictEqual(before?.what, what)) return
    const limiter = before?.limiter ?? this.#limiterOf(runtime)
    let isGone = false
    const changed = (paths: readonly string[]): void => {
      const wasGone = isGone
      isGone = !existsSync(folder)
      if (!isGone) limiter.changed(paths)
      // it was moved, or Git is replacing it: without it no process can be started
      else if (!wasGone) this.#reporter.warn('reload-failed', goneText(runtime.id, folder))
    }
    const except = (): readonly string[] => this.#templateFiles
    const savesCountSince = (): number | undefined => runtime.exitedAt()
    const watch = this.#open({...what, since, except, savesCountSince, changed}, `"${runtime.id}"`)
    this.#followed.set(runtime, {watch, what, limiter})
    await watch.open()
    await before?.watch.finish()
  }

  async remove(runtime: AppRuntime): Promise<void> {
    const followed = this.#followed.get(runtime)
    this.#followed.delete(runtime)
    followed?.limiter.close()
    await followed?.watch.close()
  }

  #limiterOf(runtime: AppRuntime): RestartLimiter {
    return new RestartLimiter(
      files => this.#onFiles(runtime, files),
      file =>
        this.#reporter.warn(
          'watch-limited',
          `"${runtime.id}" was restarted 30 times within 60 s, mostly because of ${file}. It restarts again when its files have not changed for 10 s, or by "pillion restart ${runtime.id}". Add files that the app itself writes to watch.ignore.`
        )
    )
  }

  /** A change of its files waits to be acted on. */
  isPending(runtime: AppRuntime): boolean {
    const followed = this.#followed.get(runtime)
    return followed !== undefined && (followed.watch.isSettling || followed.limiter.isSuspended)
  }

  /** An edit of the template waits to be acted on. */
  get isTemplatePending(): boolean {
    return this.#template?.watch.isSettling === true
  }

  /** The user restarts the app. */
  lift(runtime: AppRuntime): void {
    this.#followed.get(runtime)?.limiter.lift()
  }

  /** Watches these files in place of the last ones. Changes after `since` (ms since 1970) count. */
  async followTemplate(files: readonly string[], since: number, changed: () => void): Promise<void> {
    this.#templateFiles = files
    if (isDeepStrictEqual(this.#template?.files, files)) return
    const before = this.#template
    const watch = this.#open({folder: folderOf(files), watch: {files}, since, changed}, 'the template')
    this.#template = {watch, files} // before anything is waited for, so that the end of the run closes it
    await Promise.all([before?.watch.close(), watch.open()])
    // the clock was set back: no time shows later saves
    if (systemClock.date() < since) changed()
  }

  async close(): Promise<void> {
    await Promise.all([
      this.#template?.watch.close(),
      ...[...this.#followed.keys()].map(async runtime => this.remove(runtime))
    ])
  }

  #open(options: Omit<WatchOptions, 'polls' | 'givesUp'>, whose: string): Watch {
    return new Watch({
      ...options,
      polls: why => {
        if (this.#reported.has(why)) return
        this.#reported.add(why)
        this.#reporter.warn('watch-limited', `polling the files of ${whose} every 500 ms: ${why}`)
      },
      givesUp: why =>
        this.#reporter.warn(
          'watch-limited',
          `the files of ${whose} are not watched: ${why}. Name the folders of its code in watch.paths, or add the others to watch.ignore, or to .gitignore, which then counts from the next start on.`
        )
    })
  }
}

const goneText = (id: string, folder: string): string =>
  `the folder of "${id}" is gone, so it keeps its process until there is one again: ${folder}`

/** Folder with most of some files: a mounted one needs another way of watching. */
const folderOf = (files: readonly string[]): string => dirname(files[0] ?? '/')
