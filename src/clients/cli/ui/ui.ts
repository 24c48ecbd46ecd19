/**
 * ui/ is `pillion ui`: the apps of a run as a table on the whole screen, with keys. The command is a client of the run's API,
 * and always restores the terminal. Other commands do not load this code.
 */
import {withReason, type FoundRun} from '../../../control/client.ts'
import {messageOf, UserError} from '../../../model/errors.ts'
import {aborted} from '../../../platform/delay.ts'
import {isForeground} from '../../../platform/key-mode.ts'
import {shownNameOf} from '../../../model/app-words.ts'
import {ownOf} from '../../../model/own.ts'
import {inOrder, type ShownApp} from '../app-table.ts'
import {KeyInput} from '../live/key-input.ts'
import {Prompt} from '../live/prompt.ts'
import type {RunPlace} from '../pick-run.ts'
import {ACTION_KEYS, type AppAction} from './app-actions.ts'
import {FollowedLog} from './followed-log.ts'
import {FullScreen} from './full-screen.ts'
import {KEYS_PAGE, movesIn} from './keys.ts'
import {UiState} from './ui-state.ts'
import {LOG, TABLE, uiLines, type Content, type TextPage, type UiView} from './view.ts'
import {followRuns, type NoRun, type WatchedRun} from './watched-run.ts'

/** Delay between a change and its drawing: most changes arrive in groups. */
const DRAWN_EVERY_MS = 100
const WAITS = 'nothing runs here: waiting for "pillion up" (q: quit)'
const SUSPENDED = 'the run is suspended: resume it with fg in its terminal'
const ESCAPE = '\x1b'
const ENDS_PROMPT = ['\r', '\n', ESCAPE]

interface UiContext {
  readonly place: RunPlace
  /** The run to show first. undefined: none exists yet, and the command waits for one. */
  readonly first: FoundRun | undefined
  readonly hasColours: boolean
}

/** The whole screen: draws the state of the run, and turns keys into actions. */
export class Ui {
  readonly #options: UiContext
  readonly #screen = new FullScreen(process.stdout)
  readonly #state = new UiState()
  readonly #log = new FollowedLog(() => this.#drawSoon())
  readonly #over = new AbortController()
  readonly #input: KeyInput
  #watching: WatchedRun | NoRun = {notice: WAITS}
  /** The apps of the run, or of the last one. */
  #apps: readonly ShownApp[] = []
  #isLent = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: UiContext) {
    this.#options = options
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
    const {place, first} = this.#options
    const following = followRuns(place, first, {
      signal: this.#over.signal,
      changed: () => this.#drawSoon(),
      watch: watched => this.#watch(watched)
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
    // quitting aborts without a reason, which is then a DOMException; any other reason is an error
    const {reason} = this.#over.signal as {readonly reason: unknown}
    if (!(reason instanceof DOMException)) throw reason
  }

  /** Shows a run. Without one, the apps of the last run stay. */
  #watch(watched: WatchedRun | NoRun): void {
    this.#readApps()
    this.#watching = watched
    this.#drawSoon()
  }

  #readApps(): void {
    if (!('notice' in this.#watching)) this.#apps = inOrder(this.#watching.apps, this.#screen.size.width)
  }

  #view(): UiView {
    this.#readApps()
    const now = Date.now()
    const apps = this.#state.filtered(this.#apps, now)
    const watched = this.#watching
    return {
      name: 'notice' in watched ? '' : shownNameOf(watched.run.listing),
      notice: 'notice' in watched ? watched.notice : watched.isSuspended ? SUSPENDED : '',
      apps,
      selected: this.#state.selectedIn(apps),
      filter: this.#state.filter,
      log: this.#log.lines,
      content: this.#state.content,
      message: this.#state.prompt?.shown(this.#screen.size.width) ?? this.#state.message,
      now,
      hasColours: this.#options.hasColours
    }
  }

  #drawSoon(): void {
    this.#timer ??= setTimeout(() => this.#draw(), DRAWN_EVERY_MS)
  }

  #draw(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#over.signal.aborted) return
    const {size} = this.#screen
    const view = this.#view()
    const app = view.apps[view.selected]?.app
    const watched = this.#watching
    if (app !== undefined) this.#state.select(app)
    if (app !== undefined && !('notice' in watched)) this.#log.follow(watched.run, watched.nameOf(app), app.startedAt)
    this.#screen.draw(uiLines(view, this.#state.firstRow(view, size), size))
  }

  #typed(chunk: string): void {
    if (this.#state.prompt !== undefined) {
      this.#state.prompt.insert(chunk)
      return this.#draw()
    }
    for (const move of movesIn(chunk)) this.#state.move(move, this.#view(), this.#screen.size)
    this.#drawSoon()
  }

  #pressed(key: string): void {
    const {prompt} = this.#state
    if (prompt !== undefined) {
      if (!ENDS_PROMPT.includes(key)) return
      this.#state.filter = key === ESCAPE ? '' : prompt.text.trim()
      this.#state.prompt = undefined
    } else {
      this.#state.message = ''
      this.#act(key)
    }
    this.#draw()
  }

  #act(key: string): void {
    const {kind} = this.#state.content
    switch (key) {
      case 'q':
        if (kind === 'table') return this.#over.abort()
        return this.#show(TABLE)
      case ESCAPE:
        if (kind === 'table') this.#state.filter = ''
        return this.#show(TABLE)
      case '?':
      case 'h':
        return this.#show({kind: 'page', page: KEYS_PAGE, scrolled: 0})
      case 'l':
      case '\r':
      case '\n':
        return this.#show(kind === 'log' ? TABLE : LOG)
      case '/':
        if (kind === 'table') this.#state.prompt = new Prompt('/', () => undefined)
        return
      default: {
        const action = ownOf(ACTION_KEYS, key)
        if (action !== undefined) this.#withApp(action)
      }
    }
  }

  #show(content: Content): void {
    this.#state.content = content
  }

  /** Acts on the selected app, and shows the result or the error. */
  #withApp(action: AppAction): void {
    const watched = this.#watching
    const app = this.#view().apps.find(each => this.#state.isSelected(each.app))?.app
    if ('notice' in watched || app === undefined) {
      this.#state.message = 'notice' in watched ? 'nothing runs' : 'no app is selected'
      return
    }
    const {width} = this.#screen.size
    const tell = (text: string): void => void (this.#state.message = text)
    void withReason(async () => action({watched, app, width, tell, lend: async use => this.#lend(use)}))
      .catch(messageOf)
      .then(result => this.#report(result))
  }

  #report(result: string | TextPage): void {
    this.#state.message = typeof result === 'string' ? result : ''
    if (typeof result !== 'string') this.#show({kind: 'page', page: result, scrolled: 0})
    this.#draw()
  }

  /** Lends the terminal to an app, on the screen of the shell. A second request while the terminal is lent does nothing. */
  async #lend(use: () => Promise<void>): Promise<void> {
    if (this.#isLent) return
    this.#isLent = true
    this.#screen.close()
    await this.#input.lend(use).finally(() => (this.#isLent = false))
  }
}
