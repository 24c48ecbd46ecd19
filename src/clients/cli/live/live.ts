/**
 * live/ is the view of a run on a terminal, where no script reads Dapr's start lines: a line for each app, a ready line,
 * keys, and the end. The terminal is always restored. The code is only loaded, and prints and reads, if stdin and stdout
 * are terminals.
 */
import type {RunControl} from '../../../control/run-control.ts'
import {basename, dirname} from 'node:path'
import type {App} from '../../../model/api.generated.ts'
import type {RunEvent} from '../../../model/events.ts'
import type {KeyMode} from '../../../platform/key-mode.ts'
import type {LineView} from '../log-style.ts'
import {psText} from '../commands/ps.ts'
import {USUAL_ROWS} from '../width.ts'
import {signedLine} from '../print.ts'
import {shownStatus} from '../say.ts'
import {CLEAR} from '../status-lines.ts'
import type {Terminal} from '../terminal.ts'
import {KeyInput} from './key-input.ts'
import {idsIn, Prompt} from './prompt.ts'
import {endText, grid, helpText, isSettled, readyText, startingText, waitingText} from './texts.ts'

interface LiveRun {
  /** Control of the run. Undefined if the start failed. */
  readonly control: Pick<RunControl, 'list' | 'restartApp'> | undefined
  stop(): void
  stopNow(): void
  /** Sets the modes that the terminal gets back if this process is killed. Without a mode nothing is left to restore. */
  guardTerminal(mode: KeyMode | undefined): void
}

/** Time after which the terminal shows the apps that still stop. */
const SLOW_STOP_MS = 1500
const REDRAWN_EVERY_MS = 1000

export class Live {
  readonly #terminal: Terminal
  readonly #run: LiveRun
  readonly #view: LineView
  readonly #input: KeyInput
  readonly #redraw = setInterval(() => this.#draw(), REDRAWN_EVERY_MS).unref()
  #prompt: Prompt | undefined
  /** Whether keys are read. While the terminal is `asked` for its modes, the ready line waits, since it names the keys. */
  #keys: 'asked' | 'read' | 'unread' = 'asked'
  #isReadyTold = false
  /** Time at which the user asked for the end, in ms since 1970; 0 before. */
  #stoppedAt = 0
  #isLate = false
  #apps: readonly App[] = []
  #startedAt = Date.now()
  /** Name of the run; empty if it is the name of its folder. */
  #name = ''

  constructor(terminal: Terminal, run: LiveRun, view: LineView) {
    this.#terminal = terminal
    this.#run = run
    this.#view = view
    this.#input = new KeyInput({
      typed: chunk => this.#typed(chunk),
      pressed: key => this.#pressed(key),
      moded: mode => run.guardTerminal(mode),
      suspended: () => terminal.out.showStatus('')
    })
  }

  /** Begins to read keys and to draw, once the start lines are printed. */
  async begin(): Promise<void> {
    process.stdout.on('resize', () => this.#draw())
    this.#keys = (await this.#input.open()) ? 'read' : 'unread'
    this.#look()
  }

  hear(event: RunEvent): void {
    if (event.type === 'stopping') this.#stop()
    if (event.type === 'app-moved') this.#look()
  }

  /** Kills everything at a Ctrl-C while the terminal shows `Ctrl-C again kills`, also if a key or another terminal asked for the end. */
  takes(signal: string): boolean {
    if (!this.#isLate || signal !== 'SIGINT') return false
    this.#run.stopNow()
    return true
  }

  /** Whether all apps have started. The start of later apps is shown in Dapr's lines. */
  get hasStarted(): boolean {
    return this.#isReadyTold
  }

  /** Restores the terminal, and prints the end of the run. */
  end(): void {
    this.close()
    if (this.#apps.length === 0) return
    const wasAsked = this.#stoppedAt > 0
    const tookMs = Date.now() - (wasAsked ? this.#stoppedAt : this.#startedAt)
    this.#print(endText(this.#apps, {tookMs, wasAsked, width: this.#width}))
  }

  /** Leaves the terminal as it was. */
  close(): void {
    clearInterval(this.#redraw)
    this.#input.close()
    this.#terminal.out.showStatus('')
  }

  /** The usable width. Terminals differ in their handling of the last column, so it stays empty. */
  get #width(): number {
    return Math.max(1, (this.#terminal.width ?? 80) - 1)
  }

  /** Half of the terminal: the other half is for the lines of the apps. */
  get #rows(): number {
    return Math.floor((process.stdout.rows || USUAL_ROWS) / 2)
  }

  #look(): void {
    const listing = this.#run.control?.list()
    if (listing !== undefined && listing.apps.length > 0) {
      this.#apps = listing.apps
      this.#startedAt = Date.parse(listing.startedAt)
      const {name, template} = listing
      this.#name = name === basename(dirname(template.file)) ? '' : name
    }
    const canTell = !this.#isReadyTold && this.#keys !== 'asked' && this.#stoppedAt === 0
    if (canTell && this.#apps.length > 0 && this.#apps.every(isSettled)) {
      this.#isReadyTold = true
      const tookMs = Date.now() - this.#startedAt
      if (this.#apps.some(({isReady}) => isReady))
        this.#print(
          readyText(this.#apps, {
            name: this.#name,
            tookMs,
            width: this.#width,
            rows: this.#rows,
            hint: this.#keys === 'read' ? 'Ctrl-C stops · h help' : 'Ctrl-C stops'
          })
        )
    }
    this.#draw()
  }

  #draw(): void {
    this.#terminal.out.showStatus(this.#status)
  }

  get #status(): string {
    const width = this.#width
    if (this.#stoppedAt > 0) return this.#isLate ? waitingText(this.#apps, width) : ''
    if (this.#prompt !== undefined) return this.#prompt.shown(width)
    return this.#isReadyTold || this.#apps.length === 0
      ? ''
      : startingText(this.#apps, {now: Date.now(), width, rows: this.#rows})
  }

  #stop(): void {
    this.#stoppedAt = Date.now()
    this.#prompt = undefined
    this.#input.close()
    this.#draw()
    setTimeout(() => {
      this.#isLate = true
      this.#draw()
    }, SLOW_STOP_MS).unref()
  }

  #typed(chunk: string): void {
    this.#prompt?.insert(chunk)
    if (this.#prompt !== undefined) this.#draw()
  }

  #pressed(key: string): void {
    const prompt = this.#prompt
    if (prompt !== undefined) {
      if (key !== '\n' && key !== '\r' && key !== '\x1b') return
      this.#prompt = undefined
      if (key !== '\x1b') prompt.answer()
      return this.#draw()
    }
    switch (key) {
      case 'r':
        return this.#ask('restart which apps? (Enter: none)', ids => void this.#restart(ids))
      case 'l':
        return this.#ask('show the lines of which apps? (Enter: all)', ids => this.#showOnly(ids))
      case 't':
        return void (this.#view.hasTimes = !this.#view.hasTimes)
      case 'p':
        return void this.#showProcesses()
      case 'c':
        return void this.#terminal.out.write(CLEAR)
      case 'h':
      case '?':
        return this.#print(helpText(this.#width))
      case 'q':
        this.#run.stop()
    }
  }

  /** Shows numbers for the apps, and asks for ids or numbers. */
  #ask(question: string, answered: (ids: readonly string[]) => void): void {
    const ids = [...new Set(this.#apps.map(({id}) => id))]
    this.#print(
      grid(
        ids.map((id, i) => [(i + 1).toString(), id]),
        this.#width
      )
    )
    this.#prompt = new Prompt(question, answer => {
      const {known, unknown} = idsIn(answer, ids)
      if (unknown.length > 0) this.#warn(`no app ${unknown.map(word => `"${word}"`).join(', ')} in this run`)
      else answered(known)
    })
    this.#draw()
  }

  async #restart(ids: readonly string[]): Promise<void> {
    await Promise.all(
      ids.map(async id => {
        const why = await this.#run.control?.restartApp(id)
        if (why === '') this.#print(signedLine('success', `app restarted successfully: ${id}`, false))
        else this.#warn(`failed to restart app id ${id}: ${why ?? 'it is no longer in this run'}`)
      })
    )
  }

  #showOnly(ids: readonly string[]): void {
    this.#view.only = ids.length === 0 ? undefined : new Set(ids)
    this.#print(`${ids.length === 0 ? 'all lines are shown' : `only lines of ${ids.join(', ')} are shown`}\n`)
  }

  async #showProcesses(): Promise<void> {
    const listing = this.#run.control?.list()
    if (listing !== undefined) this.#print(await psText([listing], {width: this.#width}))
  }

  #warn(text: string): void {
    this.#print(shownStatus(process.stdout, 'warning', text, false))
  }

  #print(text: string): void {
    void this.#terminal.out.print(text)
  }
}
