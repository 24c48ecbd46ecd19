import {mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {availableParallelism, loadavg, tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Test} from 'tap'
import {systemClock, type Clock} from '../../../../src/platform/clock.ts'
import {Watch, type WatchOptions} from '../../../../src/files/watcher/watcher.ts'
import type {WatchPlan} from '../../../../src/model/plan.ts'

export const ALL: WatchPlan = {paths: ['**'], ignore: [], honoursGitignore: false}

/** A folder with a little code in it, and what the watch tells of it. */
export class Watching {
  readonly folder = mkdtempSync(join(tmpdir(), 'watch-'))
  readonly told: (readonly string[])[] = []
  readonly polls: string[] = []
  readonly givenUp: string[] = []
  readonly #looks = new Set<() => void>()
  #watch: Watch | undefined

  constructor() {
    for (const folder of ['node_modules/x', '.dapr/logs', '.git'])
      mkdirSync(join(this.folder, folder), {recursive: true})
    this.write('app.js', '1')
  }

  async open(
    t: Test,
    plan: WatchPlan | {files: readonly string[]} = ALL,
    wishes: Partial<WatchOptions> = {}
  ): Promise<void> {
    const watch = new Watch({
      folder: this.folder,
      watch: plan,
      since: Date.now() + 60_000,
      clock,
      changed: paths => {
        this.told.push(paths)
        for (const look of this.#looks) look()
      },
      polls: why => this.polls.push(why),
      givesUp: why => this.givenUp.push(why),
      ...wishes
    })
    this.#watch = watch
    t.teardown(async () => {
      await watch.close()
      rmSync(this.folder, {recursive: true})
    })
    await watch.open()
  }

  async close(): Promise<void> {
    await this.#watch?.close()
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.folder, path), text)
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  /** Waits until so many changes in all have been told. */
  async changes(count: number): Promise<void> {
    await this.#until(() => this.told.length >= count)
  }

  /** Waits until a change of a path has been told. */
  async tells(path: string): Promise<void> {
    await this.#until(() => this.told.some(paths => paths.includes(path)))
  }

  async #until(isSo: () => boolean): Promise<void> {
    await new Promise<void>(resolve => {
      const look = (): void => {
        if (!isSo()) return
        this.#looks.delete(look)
        resolve()
      }
      this.#looks.add(look)
      look()
    })
  }

  /** Saves a file of its own, so that what was told before is all there was to be told. */
  async marker(): Promise<number> {
    const before = this.told.length
    this.write('mark.txt', `${performance.now()}`)
    await this.changes(before + 1)
    return before
  }
}

export const save = (path: string, text: string): void => {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

/** A busy machine tells of one change in several breaths: here a rest is ten times as long as in a run, and longer under load. */
const SLOWER = 10 * Math.min(2, Math.max(1, (loadavg()[0] ?? 0) / availableParallelism()))
export const clock: Clock = {
  now: () => systemClock.now() / SLOWER,
  date: () => systemClock.date(),
  after: (ms, fire) => systemClock.after(ms * SLOWER, fire)
}

/** Longer than the rest that ends a change: what comes later is another one. */
export const atRest = async (): Promise<void> => new Promise(resolve => setTimeout(resolve, 100 * SLOWER))
