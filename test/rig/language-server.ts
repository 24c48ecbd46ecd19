import {spawn, type ChildProcessByStdio} from 'node:child_process'
import {createRequire} from 'node:module'
import {dirname, join} from 'node:path'
import type {Readable, Writable} from 'node:stream'
import {untrackChildren} from './untracked.ts'

untrackChildren()

export interface Position {
  readonly line: number
  readonly character: number
}

export interface Diagnostic {
  readonly message: string
  readonly range: {readonly start: Position; readonly end: Position}
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
}

/** The YAML language server of editors, over its stdio, with one schema for all that it is shown. */
export class LanguageServer {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #answers = new Map<number, (result: unknown) => void>()
  readonly #diagnoses = new Map<string, (diagnostics: readonly Diagnostic[]) => void>()
  readonly #schema: string
  #unread = Buffer.alloc(0)
  #last = 0

  /** `schema` is a URL. */
  constructor(schema: string) {
    this.#schema = schema
    const manifest = createRequire(import.meta.url).resolve('yaml-language-server/package.json')
    const program = join(dirname(manifest), 'bin/yaml-language-server')
    this.#child = spawn(process.execPath, [program, '--stdio'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // without NODE_OPTIONS, in which tap hands code to each Node
      env: {PATH: process.env['PATH'], HOME: process.env['HOME']}
    })
    this.#child.stdout.on('data', (bytes: Buffer) => this.#read(bytes))
  }

  async open(): Promise<void> {
    await this.#ask('initialize', {
      processId: process.pid,
      rootUri: null,
      capabilities: {workspace: {configuration: true}}
    })
    this.#tell('initialized', {})
  }

  /** Shows a text to the server; resolves with what it says about it. */
  async diagnose(name: string, text: string): Promise<readonly Diagnostic[]> {
    const uri = `file:///${name}`
    const told = new Promise<readonly Diagnostic[]>(resolve => this.#diagnoses.set(uri, resolve))
    this.#tell('textDocument/didOpen', {textDocument: {uri, languageId: 'yaml', version: 1, text}})
    return told
  }

  /** What the server offers at a place of a text that it was shown. */
  async complete(name: string, position: Position): Promise<readonly string[]> {
    const answer = await this.#ask('textDocument/completion', {textDocument: {uri: `file:///${name}`}, position})
    return (answer as {readonly items: readonly {readonly label: string}[]}).items.map(({label}) => label)
  }

  async close(): Promise<void> {
    const ended = new Promise(resolve => this.#child.once('exit', resolve))
    this.#child.kill()
    await ended
  }

  async #ask(method: string, params: object): Promise<unknown> {
    const id = ++this.#last
    const answer = new Promise(resolve => this.#answers.set(id, resolve))
    this.#send({id, method, params})
    return answer
  }

  #tell(method: string, params: object): void {
    this.#send({method, params})
  }

  #send(message: Message): void {
    const body = JSON.stringify({jsonrpc: '2.0', ...message})
    this.#child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }

  #read(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes])
    for (;;) {
      const end = this.#unread.indexOf('\r\n\r\n')
      const length = Number(/Content-Length: (\d+)/i.exec(this.#unread.toString('latin1', 0, Math.max(end, 0)))?.[1])
      if (end < 0 || this.#unread.length < end + 4 + length) return
      const body = this.#unread.toString('utf8', end + 4, end + 4 + length)
      this.#unread = this.#unread.subarray(end + 4 + length)
      this.#take(JSON.parse(body) as Message)
    }
  }

  #take({id, method, params, result}: Message): void {
    if (method === 'textDocument/publishDiagnostics') {
      const {uri, diagnostics} = params as {readonly uri: string; readonly diagnostics: readonly Diagnostic[]}
      this.#diagnoses.get(uri)?.(diagnostics)
    } else if (method !== undefined && id !== undefined) this.#send({id, result: this.#answerTo(method, params)})
    else if (id !== undefined) this.#answers.get(id)?.(result ?? null)
  }

  /** It asks for its settings, by section. */
  #answerTo(method: string, params: unknown): unknown {
    if (method !== 'workspace/configuration') return null
    const {items} = params as {readonly items: readonly {readonly section: string}[]}
    const yaml = {validate: true, completion: true, schemas: {[this.#schema]: '*.yaml'}, schemaStore: {enable: false}}
    return items.map(({section}) => (section === 'yaml' ? yaml : null))
  }
}
