import {spawn, type ChildProcess} from 'node:child_process'
import type {Socket} from 'node:net'
import {messageOf} from '../../model/errors.ts'
import type {ProcessGroup} from './process-group.ts'
import {WATCHDOG_LOADER, WATCHDOG_SCRIPT} from './watchdog-script.ts'
import {pause} from '../../platform/delay.ts'
import type {KeyMode} from '../../platform/key-mode.ts'

export interface WatchdogOptions {
  /** The value of `PILLION_RUN`. */
  readonly marker: string
  /** From SIGTERM to SIGKILL, should we be killed. */
  readonly graceMs: number
  /** Folders where the shell finds its tools, besides the system's own. */
  readonly searchPath: string
  /** There is no watchdog, or none any more, for this reason. */
  readonly lost: (why: string) => void
}

/** A watchdog that ends sooner than this is not replaced: the next one would fare no better. */
const SHORT_RUN_MS = 1000
/** How long our own end waits for the watchdog's. */
const GONE_WITHIN_MS = 500

/**
 * A process that outlives us just long enough: when we vanish without a goodbye (SIGKILL, a crash, no memory) it ends the
 * groups that it was told of and whatever carries the run's mark. It is a shell that reads a pipe which we alone hold: its
 * end is our end. In a session of its own, without our streams and marks, it holds up nobody. Killed itself, it is replaced.
 */
export class Watchdog {
  readonly #options: WatchdogOptions
  /** What it has to be told, should it be replaced. */
  readonly #groups = new Map<number, number>()
  readonly #spared: string[] = []
  #terminal = ''
  #process: ChildProcess | undefined
  #isDismissed = false

  constructor(options: WatchdogOptions) {
    this.#options = options
  }

  /**
   * To be called before the first spawn of an app. Waits for nothing; a failure is told to `lost`. The watchdog of a killed
   * run removes `home`, the folder of the run's socket.
   */
  start(home: string): void {
    try {
      this.#process = this.#spawn(home)
    } catch (error) {
      this.#options.lost(messageOf(error))
    }
    for (const [group, started] of this.#groups) this.#tell(`+${group.toString()} ${started.toString()}`)
    for (const marker of this.#spared) this.#tell(`spare ${marker}`)
    if (this.#terminal !== '') this.#tell(`terminal${this.#terminal}`)
  }

  /** A group has been spawned. */
  watch({pid, started}: Pick<ProcessGroup, 'pid' | 'started'>): void {
    if (pid === undefined) return
    this.#groups.set(pid, started)
    this.#tell(`+${pid.toString()} ${started.toString()}`)
  }

  /** Nothing of a group is left: its number may be given to anybody. */
  forget({pid}: Pick<ProcessGroup, 'pid'>): void {
    if (pid !== undefined && this.#groups.delete(pid)) this.#tell(`-${pid.toString()}`)
  }

  /** What leaves the group of this life (the value of `PILLION_LIFE`) is to live on. */
  spare(marker: string): void {
    this.#spared.push(marker)
    this.#tell(`spare ${marker}`)
  }

  /** The modes of this terminal are ours: should we be killed they are to be as before. Undefined: they are as before. */
  guardTerminal(mode: KeyMode | undefined): void {
    this.#terminal = mode === undefined ? '' : ` ${mode.device} ${mode.keys} ${mode.saved}`
    this.#tell(`terminal${this.#terminal}`)
  }

  /** Nothing is left to watch over. Settles when the watchdog is gone, and soon in any case. */
  async dismiss(): Promise<void> {
    this.#isDismissed = true
    const child = this.#process
    if (child?.pid === undefined || hasExited(child)) return
    const isGone = new AbortController()
    child.once('exit', () => isGone.abort())
    this.#tell('bye')
    await pause(GONE_WITHIN_MS, isGone.signal)
  }

  #spawn(home: string): ChildProcess {
    const {marker, graceMs, searchPath, lost} = this.#options
    const startedAt = performance.now()
    const child = spawn('/bin/sh', ['-c', WATCHDOG_LOADER, 'pillion-watchdog', marker, graceMs.toFixed(0), home], {
      cwd: '/',
      // SHLVL: a first bash whose input is a socket takes itself for one of rshd's, and reads ~/.bashrc
      env: {PATH: `/usr/bin:/bin:${searchPath}`, SHLVL: '1', SCRIPT: WATCHDOG_SCRIPT},
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore']
    })
    child.once('error', ({message}) => lost(message))
    child.once('exit', () => this.#replace(home, performance.now() - startedAt))
    child.stdin?.on('error', () => undefined) // it has ended: `exit` tells
    child.unref()
    unref(child)
    return child
  }

  #tell(line: string): void {
    this.#process?.stdin?.write(`${line}\n`)
  }

  #replace(home: string, livedMs: number): void {
    if (this.#isDismissed) return
    if (livedMs < SHORT_RUN_MS) this.#options.lost('it was ended from outside')
    else this.start(home)
  }
}

const hasExited = (child: {readonly exitCode: number | null; readonly signalCode: string | null}): boolean =>
  child.exitCode !== null || child.signalCode !== null

/** A pipe to a child is a socket; it shall not keep us alive. */
const unref = ({stdin}: ChildProcess): void => void (stdin as Socket | null)?.unref()
