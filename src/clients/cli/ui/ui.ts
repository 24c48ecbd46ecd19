/**
 * ui/ is `pillion ui`: the apps of a run as a table on the whole screen, with keys. The command asks the run's API as others
 * do, and always restores the terminal. Other commands do not load this code.
 */
import {withReason, type FoundRun} from '../../../control/client.ts'
import type {App} from '../../../model/api.generated.ts'
import {messageOf, UserError} from '../../../model/errors.ts'
import {aborted} from '../../../platform/delay.ts'
import {isForeground} from '../../../platform/key-mode.ts'
import {shownNameOf, stateText} from '../../../model/app-words.ts'
import {appKey, followRuns, type WatchedRun} from './watched-run.ts'
import {inOrder, type ShownApp} from '../app-table.ts'
import {Attachment, typeText} from '../attach/attachment.ts'
import {detachKeysText, readDetachKeys, USUAL_DETACH_KEYS} from '../attach/detach-keys.ts'
import {KeyInput} from '../live/key-input.ts'
import {Prompt} from '../live/prompt.ts'
import type {RunPlace} from '../pick-run.ts'
import {FollowedLog} from './followed-log.ts'
import {FullScreen} from './full-screen.ts'
import {KEYS_PAGE, movesIn, type Move} from './keys.ts'
import {debugPage, tracePage} from './pages.ts'
import {farthest, tableHeight, uiLines, type UiView} from './view.ts'

/** Most changes arrive in groups. */
const DRAWN_EVERY_MS = 100
const WAITS = 'nothing runs here: waiting for "pillion up" (q: quit)'

export class Ui {
  readonly #place: RunPlace
  /** First run. Undefined if the command waits for it. */
  readonly #first: FoundRun | undefined
  readonly #hasColours: boolean
  readonly #screen = new FullScreen(process.stdout)
  readonly #log = new FollowedLog(() => this.#drawSoon())
  readonly #over = new AbortController()
  readonly #input: KeyInput
  #watched: WatchedRun | undefined
  #apps: readonly ShownApp[] = []
  #notice = WAITS
  #selected = ''
  #filter = ''
  #prompt: Prompt | undefined
  #page: UiView['page']
  #scrolled = 0
  #top = 0
  #message = ''
  /** The terminal is an app's, or is about to be. */
  #isAttaching = false
  #timer: NodeJS.Timeout | undefined

  constructor(place: RunPlace, first: FoundRun | undefined, hasColours: boolean) {
    this.#place = place
    this.#first = first
    this.#hasColours = hasColours
    this.#input = new KeyInput({
      typed: chunk => this.#typed(chunk),
      pressed: key => this.#pressed(key),
      moded: mode => {
        if (mode === undefined) return
        this.#screen.open()
        this.#draw()
      },
      suspended: () => this.#screen.close()
    })
  }

  /** Settles when the user has quit. Throws a UserError if the terminal gives no keys, and errors of the run's API. */
  async run(): Promise<void> {
    const quit = (): void => this.#over.abort()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, quit)
    process.stdin.on('end', quit)
    process.stdout.on('resize', () => {
      this.#screen.clear()
      this.#draw()
    })
    const following = followRuns(this.#place, this.#first, {
      signal: this.#over.signal,
      changed: () => this.#drawSoon(),
      watch: (watched, notice) => this.#watch(watched, notice)
    }).catch((error: unknown) => this.#over.abort(error))
    try {
      if (!(await this.#input.open()) && isForeground() && !this.#over.signal.aborted)
        throw new UserError('ui cannot read keys from this terminal', {
          explanation: 'It needs stty (POSIX).',
          code: 'no-terminal'
        })
      await aborted(this.#over.signal)
    } finally {
      this.#over.abort()
      clearTimeout(this.#timer)
      this.#log.follow(undefined, '', null)
      this.#screen.close()
      this.#input.close()
      await following
    }
    // quitting aborts without a reason
    const {reason} = this.#over.signal as {readonly reason: unknown}
    if (!(reason instanceof DOMException)) throw reason
  }

  /** Shows a run, or the notice that there is none: the apps of the last one stay. */
  #watch(watched: WatchedRun | undefined, notice: string): void {
    if (this.#watched !== undefined) this.#apps = inOrder(this.#watched.apps, this.#screen.size.width)
    this.#watched = watched
    this.#notice = notice
    this.#drawSoon()
  }

  get #shownApps(): readonly ShownApp[] {
    if (this.#watched !== undefined) this.#apps = inOrder(this.#watched.apps, this.#screen.size.width)
    const word = (this.#prompt?.text ?? this.#filter).toLowerCase()
    if (word === '') return this.#apps
    const now = Date.now()
    return this.#apps.filter(({app}) => `${app.id} ${stateText(app, now)}`.toLowerCase().includes(word))
  }

  #view(): UiView {
    const apps = this.#shownApps
    const selected = apps.findIndex(({app}) => appKey(app) === this.#selected)
    const width = this.#screen.size.width
    const run = this.#watched?.run.listing
    return {
      name: run === undefined ? '' : shownNameOf(run),
      notice:
        this.#watched?.isSuspended === true ? 'the run is suspended: resume it with fg in its terminal' : this.#notice,
      apps,
      selected: Math.max(0, selected),
      filter: this.#filter,
      log: this.#log.lines,
      page: this.#page,
      scrolled: this.#scrolled,
      message: this.#prompt?.shown(width) ?? this.#message,
      now: Date.now(),
      hasColours: this.#hasColours
    }
  }

  #drawSoon(): void {
    this.#timer ??= setTimeout(() => this.#draw(), DRAWN_EVERY_MS)
  }

  #draw(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#over.signal.aborted) return
    const size = this.#screen.size
    const view = this.#view()
    const app = view.apps[view.selected]?.app
    this.#selected = app === undefined ? this.#selected : appKey(app)
    if (app !== undefined && this.#watched !== undefined)
      this.#log.follow(this.#watched.run, this.#watched.nameOf(app), app.startedAt)
    const rows = tableHeight(view.apps.length, size)
    const lowest = Math.max(0, Math.min(view.selected, view.apps.length - rows))
    this.#top = Math.min(Math.max(this.#top, view.selected - rows + 1, 0), Math.max(lowest, 0), view.selected)
    this.#screen.draw(uiLines(view, this.#top, size))
  }

  #typed(chunk: string): void {
    if (this.#prompt !== undefined) {
      this.#prompt.insert(chunk)
      return this.#draw()
    }
    for (const move of movesIn(chunk)) this.#move(move)
    this.#drawSoon()
  }

  #move(move: Move): void {
    const {height} = this.#screen.size
    const rows = this.#page === undefined ? tableHeight(this.#apps.length, this.#screen.size) : height - 2
    const by = move === 'up' ? -1 : move === 'down' ? 1 : move === 'page up' ? -rows : move === 'page down' ? rows : 0
    const isTop = move === 'home'
    if (this.#page === undefined) {
      const view = this.#view()
      const last = view.apps.length - 1
      const to = isTop ? 0 : move === 'end' ? last : Math.max(0, Math.min(last, view.selected + by))
      const app = view.apps[to]?.app
      if (app !== undefined) this.#selected = appKey(app)
      return
    }
    const most = farthest({page: this.#page, log: this.#log.lines}, this.#screen.size)
    const isLog = this.#page === 'log' // counted from its end
    if (by === 0) this.#scrolled = isTop === isLog ? most : 0
    else this.#scrolled = Math.max(0, Math.min(most, this.#scrolled + (isLog ? -by : by)))
  }

  #pressed(key: string): void {
    if (this.#prompt !== undefined) {
      if (!ENDS_PROMPT.includes(key)) return
      this.#filter = key === ESCAPE ? '' : this.#prompt.text.trim()
      this.#prompt = undefined
      return this.#draw()
    }
    this.#message = ''
    this.#act(key)
    this.#draw()
  }

  #act(key: string): void {
    switch (key) {
      case 'q':
        if (this.#page === undefined) return this.#over.abort()
        return this.#show(undefined)
      case ESCAPE:
        if (this.#page === undefined) this.#filter = ''
        return this.#show(undefined)
      case '?':
      case 'h':
        return this.#show(KEYS_PAGE)
      case 'l':
      case '\r':
      case '\n':
        return this.#show(this.#page === 'log' ? undefined : 'log')
      case '/':
        if (this.#page === undefined) this.#prompt = new Prompt('/', () => undefined)
        return
      case 'r':
        return this.#ask('restart', 'restarting', 'restarted')
      case 'x':
        return this.#ask('stop', 'stopping', 'stopped')
      case 's':
        return this.#ask('start', 'starting', 'started')
      case 'a':
        if (this.#isAttaching) return
        return this.#withApp(async (watched, app) => {
          this.#isAttaching = true
          await this.#attach(watched, watched.targetOf(app)).finally(() => (this.#isAttaching = false))
        })
      case 'd':
        return this.#withApp(async (watched, app) => this.#debug(watched, watched.targetOf(app)))
      case 't':
        return this.#withApp(async (watched, {id}) => this.#trace(watched, id)) // calls of all instances
    }
  }

  #show(page: UiView['page']): void {
    this.#page = page
    this.#scrolled = 0
  }

  #ask(verb: 'restart' | 'stop' | 'start', doing: string, done: string): void {
    this.#withApp(async (watched, app) => {
      const name = watched.targetOf(app)
      this.#message = `${doing} ${name} …`
      const {isChanged} = await watched.run.api.ask(`POST /apps/{id}/${verb}`, {at: {id: name}})
      this.#message = isChanged === false ? `${name} is ${done} already` : `${name} ${done}`
    })
  }

  /** The terminal of the app is on the first screen; ours comes back behind it. */
  async #attach({run}: WatchedRun, name: string): Promise<void> {
    await typeText({run, app: name}, {text: ''}) // an app without a terminal says so while the table stays
    const detachKeys = readDetachKeys(USUAL_DETACH_KEYS)
    const greeting = `attached to ${name}: ${detachKeysText(detachKeys)} goes back to the table\n`
    this.#screen.close()
    const end = await this.#input.lend(async () => new Attachment({run, app: name, detachKeys, greeting}).run())
    this.#message = end === 'ended' ? `${name} has ended` : ''
  }

  async #debug({run}: WatchedRun, name: string): Promise<void> {
    this.#message = `stopping the process of ${name} …`
    this.#show(await debugPage(run, name))
    this.#message = ''
  }

  async #trace({run}: WatchedRun, name: string): Promise<void> {
    const page = await tracePage(run, name, this.#screen.size.width)
    if (page === undefined) this.#message = `no calls of ${name} yet`
    else this.#show(page)
  }

  /** Acts on the selected app; the last line shows a failure. */
  #withApp(act: (watched: WatchedRun, app: App) => Promise<void>): void {
    const watched = this.#watched
    const app = this.#shownApps.find(each => appKey(each.app) === this.#selected)?.app
    if (watched === undefined || app === undefined) {
      this.#message = watched === undefined ? 'nothing runs' : 'no app is selected'
      return
    }
    void withReason(async () => act(watched, app))
      .catch((error: unknown) => {
        this.#message = messageOf(error)
      })
      .then(() => this.#draw())
  }
}

const ESCAPE = '\x1b'
const ENDS_PROMPT = ['\r', '\n', ESCAPE]
