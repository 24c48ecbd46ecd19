import {systemClock, type Clock} from '../../../platform/clock.ts'
import {isForeground, enterKeyMode, leaveKeyMode, type KeyMode} from '../../../platform/key-mode.ts'

/** Minimum pause between two typed keys; pasted text arrives in one piece, or nearly. */
const APART_MS = 30

/** Distinguishes typed keys from pasted text: a key arrives alone, with a pause before and after it. */
export class Keys {
  readonly #clock: Clock
  readonly #pressed: (key: string) => void
  #latest = -Infinity
  #callOff = (): void => undefined

  constructor(clock: Clock, pressed: (key: string) => void) {
    this.#clock = clock
    this.#pressed = pressed
  }

  /** Takes the text of one read of the terminal. */
  push(chunk: string): void {
    this.#callOff()
    const isAlone = chunk.length === 1 && this.#clock.now() - this.#latest >= APART_MS
    this.#latest = this.#clock.now()
    if (!isAlone) return
    this.#callOff = this.#clock.after(APART_MS, () => {
      // if we were busy, more input may be pending: the next read comes first
      this.#callOff = this.#clock.after(0, () => this.#pressed(chunk))
    })
  }

  end(): void {
    this.#callOff()
  }
}

interface KeyInputOptions {
  /** Text that one read of the terminal returned. */
  readonly typed: (chunk: string) => void
  readonly pressed: (key: string) => void
  /** Called when the modes of the terminal become ours, and without a mode when they are restored. */
  readonly moded: (mode: KeyMode | undefined) => void
  /** Called right before Ctrl-Z suspends this process: the screen must be clear. */
  readonly suspended: () => void
}

/** Interval at which a job in the background checks whether it is in the foreground again: a running job gets no signal from `fg`. */
const LOOK_EVERY_MS = 1000
/** Time after which keys are read again if Ctrl-Z did not suspend this process: no shell could resume it. */
const RESUMED_AFTER_MS = 100

/**
 * The keys of the terminal behind stdin. Reads it, and changes its modes, only while our group is its foreground
 * group: the system freezes any other group that does, with every sidecar. The modes are always restored at the end.
 */
export class KeyInput {
  readonly #options: KeyInputOptions
  readonly #keys: Keys
  #mode: KeyMode | undefined
  /** The mode of the terminal when our process was frozen. */
  #frozen: KeyMode | undefined
  #isEntering = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined
  readonly #onData = (chunk: string): void => this.#take(chunk)
  readonly #look = (): void => void this.#enter()
  readonly #onContinued = (): void => this.#thaw()
  readonly #onStop = (): void => this.#suspend()
  readonly #onExit = (): void => this.#leave()

  constructor(options: KeyInputOptions) {
    this.#options = options
    this.#keys = new Keys(systemClock, options.pressed)
  }

  /** Settles with whether keys are read from now on. */
  async open(): Promise<boolean> {
    process.stdin.setEncoding('utf8').pause()
    process.stdin.on('error', () => this.close())
    process.stdin.on('end', () => this.close())
    this.#listen()
    return this.#enter()
  }

  /** Lends the terminal to `use`. Settles as `use` does, once keys are read again. */
  async lend<T>(use: () => Promise<T>): Promise<T> {
    this.#unlisten()
    this.#leave()
    try {
      return await use()
    } finally {
      if (!this.#isClosed) {
        this.#listen()
        await this.#enter()
      }
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#keys.end()
    clearTimeout(this.#timer)
    this.#unlisten()
    this.#leave()
  }

  #listen(): void {
    process.stdin.on('data', this.#onData).pause()
    process.on('SIGCONT', this.#onContinued).on('SIGTSTP', this.#onStop).on('exit', this.#onExit)
  }

  #unlisten(): void {
    process.stdin.off('data', this.#onData).pause()
    process.off('SIGCONT', this.#onContinued).off('SIGTSTP', this.#onStop).off('exit', this.#onExit)
  }

  async #enter(): Promise<boolean> {
    clearTimeout(this.#timer)
    if (this.#isClosed || this.#isEntering || this.#mode !== undefined) return this.#mode !== undefined
    if (!isForeground()) {
      this.#timer = setTimeout(this.#look, LOOK_EVERY_MS).unref()
      return false
    }
    this.#isEntering = true
    const mode = await enterKeyMode()
    this.#isEntering = false
    if (mode === undefined) return false
    const {keys, saved} = this.#frozen ?? {}
    this.#frozen = undefined
    // no program changed our modes while we were frozen: keeps the modes of before us, to restore them at the end
    this.#mode = saved !== undefined && mode.saved === keys ? {...mode, saved} : mode
    this.#options.moded(this.#mode)
    if (this.#isClosed) this.#leave()
    else process.stdin.resume()
    return !this.#isClosed
  }

  /** Takes the terminal back after SIGSTOP, which gives no notice: a shell has changed its modes. */
  #thaw(): void {
    if (this.#mode !== undefined) {
      this.#frozen = this.#mode
      this.#mode = undefined
      process.stdin.pause()
      this.#options.moded(undefined)
    }
    this.#look()
  }

  #leave(): void {
    const mode = this.#mode
    if (mode === undefined) return
    this.#mode = undefined
    process.stdin.pause()
    leaveKeyMode(mode)
    this.#options.moded(undefined)
  }

  #take(chunk: string): void {
    if (this.#mode === undefined) return
    this.#options.typed(chunk)
    this.#keys.push(chunk)
    if (!isForeground()) this.#suspend()
  }

  /** Suspends us as the system would, but restores the modes of the terminal first, for the shell. */
  #suspend(): void {
    this.#options.suspended()
    this.#leave()
    process.off('SIGTSTP', this.#onStop)
    process.kill(process.pid, 'SIGTSTP')
    setTimeout(() => {
      if (this.#isClosed) return
      process.on('SIGTSTP', this.#onStop)
      this.#look()
    }, RESUMED_AFTER_MS)
  }
}
