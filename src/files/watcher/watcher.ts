import type {Stats} from 'node:fs'
import {basename, join, relative} from 'node:path'
import type {FSWatcher} from 'chokidar'
import {FILE_CLOCK_LAG_MS, identityAt} from '../../platform/paths.ts'
import {codeOf} from '../../model/errors.ts'
import {isInside} from '../../model/glob.ts'
import type {WatchPlan} from '../../model/plan.ts'
import {filterOf, isIgnored, openFilter, ownOutputs, type AppFilter, type FileId} from './app-filter.ts'
import {artifactsWritten} from './artifacts.ts'
import {FileHashes, isSince, savedOf, savedSince, type Came} from './file-hashes.ts'
import {mountedKindOf} from './mounts.ts'
import {systemClock, type Clock} from '../../platform/clock.ts'
import {Debouncer} from './debouncer.ts'

export interface WatchOptions {
  /** The absolute folder where paths start. */
  readonly folder: string
  readonly watch: WatchPlan | FilePlan
  /** Changes after this moment (ms since 1970) count even before the watch is set up. */
  readonly since: number
  /** Returns the absolute paths of files that another watch follows. This watch ignores their saves. */
  readonly except?: () => readonly string[]
  /** Whether each save is reported, even with equal bytes. The receiver compares the bytes with those that it has read. */
  readonly reportsSaves?: boolean
  /** Returns the time (ms since 1970) since which a save with equal bytes is a change. Undefined if it never is. */
  readonly savesCountSince?: () => number | undefined
  /**
   * Called once changes have settled, with paths relative to the folder. With a `WatchPlan`: files that appeared, vanished or have
   * other bytes; with a `FilePlan`: all files that were saved.
   */
  readonly changed: (paths: readonly string[]) => void
  /** Called once, with the reason, if the watch polls every half second, since the system does not report changes. */
  readonly polls: (why: string) => void
  /** Called once, with the reason, if there are too many files: then none is followed. */
  readonly givesUp: (why: string) => void
  /** Maximum number of followed files. Default: 50,000. */
  readonly maxFiles?: number
  /** Returns the kind of a mounted file system that reports no changes; '': any other file system. */
  readonly mountedKind?: typeof mountedKindOf
  /** The clock of debouncing. */
  readonly clock?: Clock
  /** Files that we write, whose every line would be a change. Default: those of our stdout and stderr. */
  readonly outputs?: readonly FileId[]
}

/** Certain files, absolute, wherever they are. Each save of them is reported, even of the same bytes. */
interface FilePlan {
  readonly files: readonly string[]
}

const POLL_EVERY_MS = 500
/** Interval at which replaced folders are looked for: the system does not report a replaced parent. */
const LOOK_EVERY_MS = 2000

/** All watches of this process: chokidar lets them share watched folders. */
const following = new Set<Watch>()

/** Maximum number of files: more than one app has. Each takes about 3 kB. */
const MAX_FILES = 50_000

/** The system's limits (inotify(7)), in words that are the same for all folders: they are reported once. */
const LIMITS: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', "the system's limit of watches is reached (fs.inotify.max_user_watches)"],
  [
    'EMFILE',
    "the system's limit of programs that watch, or of open files, is reached (fs.inotify.max_user_instances, ulimit -n)"
  ]
])

/** Follows the files of an app, and reports changes. Loads chokidar when it opens. */
export class Watch {
  readonly #options: WatchOptions
  readonly #hashes = new FileHashes(path => this.#rest.add(path, 'other'))
  readonly #rest: Debouncer<Came>
  /** State of each file at its last reported save: a busy machine reports one save twice. */
  readonly #reported = new Map<string, string>()
  readonly #setUp = Promise.withResolvers<void>()
  #watcher: FSWatcher | undefined
  #filter: AppFilter | undefined
  /** Moment (ms since 1970) after which a save counts as a change, even of a file that is new here. 0 compares all files. */
  #since: number
  /** Settles when the watcher was replaced, since its filter has changed. */
  #renewed: Promise<void> = Promise.resolve()
  /** Identities (`identityAt`) of the followed folders, by path. */
  #folders: ReadonlyMap<string, string> = new Map()
  /** Whether a followed folder was replaced: then nothing is followed until changes settle. */
  #isReplaced = false
  #polls = false
  #count = 0 // number of followed files and folders
  #home: string // identity (`identityAt`) of the app's folder at the last reported change; '': it was missing, so each new file is a change
  /** Number of comparisons of changes with earlier content. */
  #settling = 0
  #settled: Promise<void> = Promise.resolve()
  readonly #closing = new AbortController()

  constructor(options: WatchOptions) {
    this.#options = options
    this.#since = options.since
    this.#home = identityAt(options.folder)
    this.#rest = new Debouncer(came => {
      this.#settled = Promise.all([this.#settled, this.#settle(came)]).then(() => undefined)
    }, options.clock)
  }

  /** Settles when every change from now on is seen. */
  async open(): Promise<void> {
    const {folder, mountedKind = mountedKindOf} = this.#options
    following.add(this)
    const timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref()
    this.#closing.signal.addEventListener('abort', () => clearInterval(timer))
    const kind = await mountedKind(folder)
    if (kind !== '') this.#poll(`it is on a mounted file system (${kind})`)
    await this.#begin()
    await this.#setUp.promise
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  /** Whether a change was seen that is not reported yet. */
  get isSettling(): boolean {
    return !this.#isClosed && (this.#settling > 0 || this.#rest.isGathering)
  }

  /** Reports pending changes, and closes. */
  async finish(): Promise<void> {
    this.#rest.flush()
    await this.#settled
    await this.close()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    following.delete(this)
    this.#rest.close()
    this.#hashes.close()
    this.#setUp.resolve()
    await this.#watcher?.close()
  }

  async #begin(): Promise<void> {
    await this.#watcher?.close()
    const library = await import('chokidar')
    if (this.#isClosed) return
    this.#count = 0
    const {folder, watch: plan, outputs = ownOutputs()} = this.#options
    const filter = 'files' in plan ? filterOf(plan.files) : openFilter(plan, folder)
    this.#filter = filter
    this.#watcher = library.watch([...filter.roots, ...filter.rulesAbove], {
      ignored: (path, stats) => isIgnored(path, stats, filter, outputs),
      alwaysStat: true,
      atomic: false, // our debouncer waits for the end of a write, and is faster
      ignorePermissionErrors: true,
      backend: this.#polls ? 'polling' : 'auto',
      pollingInterval: POLL_EVERY_MS,
      pollingBinaryInterval: POLL_EVERY_MS
    })
    this.#listen(this.#watcher, filter)
  }

  #listen(watcher: FSWatcher, filter: AppFilter): void {
    let isSetUp = false
    const {folder, watch: plan, except = () => [], clock = systemClock} = this.#options
    const since = this.#since
    const areFiles = 'files' in plan
    this.#folders = new Map(filter.roots.map(root => [root, identityAt(root)]))
    const seen = new Set<string>()
    const see = (path: string, came: Came): void => {
      if (areFiles && !isSetUp) seen.add(path)
      if (path === folder || except().includes(path)) return
      if (filter.counts(path) || filter.hasRules(path)) this.#rest.add(path, came)
    }
    const appear = (path: string, stats?: Stats): void => {
      if (++this.#count > (this.#options.maxFiles ?? MAX_FILES)) void this.#giveUp()
      else if (isSetUp || stats === undefined || isSince(stats, since, clock.date())) see(path, 'appeared')
      else if (!areFiles && filter.counts(path) && !this.#hashes.learn(path, stats)) see(path, 'other')
    }
    const vanish = (path: string): void => {
      this.#count--
      see(path, 'other')
    }
    /** Reports saves between the library's read of a file and its watch of the folder. */
    const seeMissedSaves = (files: readonly string[]): void => {
      for (const path of files.filter(each => !seen.has(each)))
        void savedSince(path, since, clock.date()).then(is => (is || since === 0) && see(path, 'other'))
    }
    /** Reports files that vanished while nothing was followed, or with their folder. */
    const seeMissedEnds = (): void => {
      const there = new Set(
        Object.entries(watcher.getWatched()).flatMap(([at, names]) => names.map(name => join(at, name)))
      )
      for (const path of this.#hashes.paths) if (!there.has(path)) see(path, 'other')
    }
    const setUp = (): void => {
      isSetUp = true
      this.#setUp.resolve()
      void this.#hashes.hash()
      // the library skips a folder that is missing at first, unless it polls
      if (this.#look()) return
      if (areFiles) seeMissedSaves(plan.files)
      else if (since !== this.#options.since) seeMissedEnds()
    }
    /** Checks for a replaced folder after a rename of its name: chokidar may go on following the old folder. A file of the same name in it causes the event, too. */
    const lookAtRoot = (event: string, name: string | null, details: unknown): void => {
      const {watchedPath: root} = details as {readonly watchedPath: string}
      if (event === 'rename' && name === basename(root) && this.#folders.has(root)) this.#look()
    }
    watcher
      .on('add', appear)
      .on('addDir', (path, stats) => void (isSetUp ? appear(path, stats) : this.#count++))
      .on('change', path => see(path, 'other'))
      .on('unlink', vanish)
      .on('unlinkDir', vanish)
      .on('ready', setUp)
      .on('error', error => void this.#fail(error))
      .on('raw', lookAtRoot)
  }

  /** Whether a followed folder was replaced. Then all watches of it end at once: the library would share the old watch with a new one. */
  #look(): boolean {
    if (this.#polls || this.#isReplaced) return this.#isReplaced
    const [other] = [...this.#folders].find(([root, identity]) => identityAt(root) !== identity) ?? []
    if (other === undefined) return false
    for (const each of following) {
      const watched = Object.keys(each.#watcher?.getWatched() ?? {})
      if (each !== this && !watched.some(path => isInside(path, other))) continue
      each.#isReplaced = true
      each.#rest.add(other, 'other')
      void each.#watcher?.close()
    }
    return true
  }

  /** Follows the current files by the current rules. */
  async #renew(): Promise<void> {
    if (this.#isClosed) return
    // known files are compared, so that no save counts twice
    this.#since = this.#isReplaced ? 0 : (this.#options.clock ?? systemClock).date() - FILE_CLOCK_LAG_MS
    this.#isReplaced = false
    await this.#begin()
  }

  /** Starts again by polling if a limit of the system is reached. Ignores other errors. */
  async #fail(error: unknown): Promise<void> {
    const limit = LIMITS.get(codeOf(error))
    if (this.#polls || this.#isClosed || limit === undefined) return
    this.#poll(limit)
    await this.#begin()
  }

  /** Stops following: so many files would take memory that calls need. */
  async #giveUp(): Promise<void> {
    if (this.#isClosed) return
    const {folder, givesUp, maxFiles = MAX_FILES} = this.#options
    givesUp(`more than ${maxFiles.toLocaleString('en')} files are in ${folder}`)
    await this.close()
  }

  #poll(why: string): void {
    this.#polls = true
    this.#options.polls(why)
  }

  async #settle(came: ReadonlyMap<string, Came>): Promise<void> {
    this.#settling++
    try {
      const {folder, watch, except = () => [], reportsSaves = 'files' in watch, changed} = this.#options
      const all = savedOf(came, new Set(except()))
      const isReplaced = this.#isReplaced
      if (isReplaced || all.some(([path]) => this.#filter?.hasRules(path) === true))
        await (this.#renewed = this.#renewed.then(async () => this.#renew()))
      if (isReplaced) return // all files are compared once they are seen
      const saved = all.filter(([path]) => this.#filter?.counts(path) === true)
      await artifactsWritten(
        saved.map(([path]) => path),
        this.#closing.signal
      )
      const saves = reportsSaves ? saved.map(([path]) => [path, identityAt(path, 'ctimeMs')] as const) : []
      if (!['', identityAt(folder)].includes(this.#home)) this.#hashes.forget()
      const isOther = reportsSaves
        ? saves.some(([path, now]) => this.#reported.get(path) !== now)
        : saved.length > 0 && ((await this.#hashes.differ(saved)) || (await this.#countsAsSaved(saved)))
      for (const [path, now] of saves) this.#reported.set(path, now)
      if (isOther) this.#home = identityAt(folder)
      if (isOther && !this.#isClosed) changed(saved.map(([path]) => relative(folder, path)))
    } finally {
      this.#settling--
    }
  }

  /** Whether one of these was saved at a time at which equal bytes count. */
  async #countsAsSaved(paths: readonly (readonly [string, Came])[]): Promise<boolean> {
    const {savesCountSince = () => undefined, clock = systemClock} = this.#options
    const since = savesCountSince()
    if (since === undefined) return false
    return (await Promise.all(paths.map(async ([path]) => savedSince(path, since, clock.date())))).includes(true)
  }
}
