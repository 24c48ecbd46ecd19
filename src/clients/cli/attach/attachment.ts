/** attach/ is `pillion attach`: the user's terminal as that of an app. The terminal is restored, whether the app, the run or the command ends first. */
import {once} from 'node:events'
import type {IncomingMessage} from 'node:http'
import {ApiError} from '../../../control/api-client.ts'
import {isGone} from '../../../control/ask.ts'
import type {FoundRun} from '../../../control/client.ts'
import {UserError} from '../../../model/errors.ts'
import {END_TRAILER, LEAVE_SECOND_SCREEN, RESET_MODES, type TerminalEnd} from '../../../model/terminal.ts'
import {within} from '../../../platform/delay.ts'
import {enterKeyMode, leaveKeyMode, type KeyMode} from '../../../platform/key-mode.ts'
import {DetachKeys} from './detach-keys.ts'

interface AttachmentOptions {
  readonly run: FoundRun
  readonly app: string
  /** The keys that detach, as characters. */
  readonly detachKeys: string
  /** Text on stderr, printed before the app's screen. */
  readonly greeting: string
}

/** End of an attachment: the user detached, the app ended, or the run was killed (`gone`). */
type AttachmentEnd = 'detached' | 'ended' | 'gone'

/** Delay after which a lone first detach key is sent to the app. When detaching, the time for the app to read earlier input. */
const HELD_MS = 1000
/** Matches the last switch to (`h`) or from (`l`) the terminal's second screen in a text. */
const SECOND = /\x1b\[\?(?:1049|1047|47)([hl])(?![^]*\x1b\[\?(?:1049|1047|47)[hl])/ // oxlint-disable-line no-control-regex -- as xterm has it
const SECOND_SIZE = 8

export class Attachment {
  /** End of the app; empty while it runs. */
  ofApp: TerminalEnd = {exit: '', exitCode: null}
  readonly #options: AttachmentOptions
  readonly #keys: DetachKeys
  readonly #over = new AbortController()
  #isSecond = false
  #held: NodeJS.Timeout | undefined
  #typed = ''
  #sent = Promise.resolve()
  readonly #onData = (data: Buffer | string): void => this.#take(data)
  readonly #onEnd = (): void => this.#over.abort()
  readonly #onResize = (): void => void this.#tell('', sizeOfScreen())
  readonly #onContinued = (): void => void this.#thaw()
  readonly #onExit = (): void => this.#restore()
  #mode: KeyMode | undefined

  constructor(options: AttachmentOptions) {
    this.#options = options
    this.#keys = new DetachKeys(options.detachKeys)
  }

  /** Settles when the attachment is over, and the terminal is as before. Throws a UserError if the app has no terminal. */
  async run(): Promise<AttachmentEnd> {
    const {run, app, greeting} = this.#options
    const {signal} = this.#over
    const {message} = await run.api.open('GET /apps/{id}/terminal', {at: {id: app}, query: sizeOfScreen(), signal})
    try {
      await this.#begin()
      const {stderr} = process
      stderr.write(stderr.isTTY ? greeting.replaceAll('\n', '\r\n') : greeting)
      await this.#show(message)
      return 'ended'
    } catch (error) {
      if (signal.aborted) return 'detached'
      if (isGone(error)) return 'gone'
      throw error
    } finally {
      this.#over.abort()
      this.#end()
    }
  }

  async #begin(): Promise<void> {
    const {stdin, stdout} = process
    process.on('exit', this.#onExit)
    this.#mode = await enterKeyMode('bytes')
    if (this.#mode === undefined)
      throw new UserError('attach cannot read keys from this terminal', {
        explanation: 'It needs stty (POSIX).',
        code: 'no-terminal'
      })
    stdin.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onEnd).resume()
    stdout.on('resize', this.#onResize).on('error', this.#onEnd)
    process.on('SIGCONT', this.#onContinued)
    for (const signal of ENDING) process.on(signal, this.#onEnd)
    this.#onResize() // the size may have changed since the request
  }

  #end(): void {
    const {stdin, stdout} = process
    clearTimeout(this.#held)
    stdin.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onEnd).pause()
    stdout.off('resize', this.#onResize).off('error', this.#onEnd)
    for (const stream of [stdin, stdout]) stream.off('error', ignore).on('error', ignore) // the terminal may be gone
    process.off('SIGCONT', this.#onContinued)
    for (const signal of ENDING) process.off(signal, this.#onEnd)
    process.off('exit', this.#onExit)
    if (stdout.isTTY) stdout.write(`${this.#isSecond ? LEAVE_SECOND_SCREEN : ''}${RESET_MODES}\r\n`)
    this.#restore()
  }

  #restore(): void {
    if (this.#mode !== undefined) leaveKeyMode(this.#mode)
    this.#mode = undefined
  }

  /** Sets our terminal modes after a suspension. If no other program changed them, keeps the modes of before the attachment, to restore them. */
  async #thaw(): Promise<void> {
    const before = this.#mode
    const mode = await enterKeyMode('bytes')
    if (mode === undefined) return
    this.#mode = before !== undefined && mode.saved === before.keys ? before : mode
    if (this.#over.signal.aborted) this.#restore()
    else this.#onResize()
  }

  async #show(message: IncomingMessage): Promise<void> {
    let before = ''
    for await (const bytes of message as AsyncIterable<Buffer>) {
      const text = before + bytes.toString('latin1')
      const [, state] = SECOND.exec(text) ?? []
      before = text.slice(-SECOND_SIZE) // an escape sequence may continue in the next piece
      if (state !== undefined) this.#isSecond = state === 'h'
      if (!process.stdout.write(bytes)) await once(process.stdout, 'drain', {signal: this.#over.signal})
    }
    const end = message.trailers[END_TRAILER]
    if (end !== undefined) this.ofApp = JSON.parse(end) as TerminalEnd
  }

  #take(data: Buffer | string): void {
    clearTimeout(this.#held)
    const {typed, isDetached} = this.#keys.push(Buffer.from(data as string).toString('latin1'))
    this.#type(typed)
    if (isDetached) return void this.#detach()
    this.#held = setTimeout(() => this.#type(this.#keys.release()), HELD_MS)
  }

  /** Detaches. Earlier input still goes to the app, later input to the next reader of the terminal. */
  async #detach(): Promise<void> {
    process.stdin.off('data', this.#onData).pause()
    await within(HELD_MS, this.#sent)
    this.#over.abort()
  }

  /** Sends typed text, one request after the other. The next request has the text typed during this one. */
  #type(text: string): void {
    this.#typed += text
    this.#sent = this.#sent.then(async () => this.#send())
  }

  async #send(): Promise<void> {
    const text = this.#typed
    this.#typed = ''
    if (text !== '' && !this.#over.signal.aborted) await this.#tell(text)
  }

  /** Sends a request to the terminal of the app, and rings the bell if the app refuses the input. Ignores other errors: the stream of output shows the end of the app or the run. */
  async #tell(text: string, query = {}): Promise<void> {
    try {
      await typeText(this.#options, {text, query, signal: this.#over.signal})
    } catch (error) {
      if (error instanceof ApiError) process.stdout.write('\x07')
    }
  }
}

/** Types latin1 text; settles when the terminal has taken it. Throws a UserError. */
export async function typeText(
  {run, app}: Pick<AttachmentOptions, 'run' | 'app'>,
  {text, query = {}, signal}: {readonly text: string; readonly query?: object; readonly signal?: AbortSignal}
): Promise<void> {
  await run.api.ask('POST /apps/{id}/terminal', {
    at: {id: app},
    query: query as Readonly<Record<string, number>>,
    bytes: Buffer.from(text, 'latin1'),
    signal
  })
}

const ignore = (): void => undefined

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Returns the size of the terminal; `{}`: unknown. */
function sizeOfScreen(): Readonly<Record<string, number>> {
  const {columns, rows} = process.stdout
  return columns > 0 && rows > 0 ? {columns, rows} : {}
}
