import {readFileSync} from 'node:fs'
import {rm} from 'node:fs/promises'
import {join} from 'node:path'
import {orElse} from '../../../src/model/or-else.ts'
import {freePorts} from '../../rig/free-port.ts'
import type {Program} from '../../rig/program.ts'
import {realRedis, type RealRedis} from '../../rig/redis.ts'
import {component} from '../../rig/resource-files.ts'
import {respClient} from '../../rig/resp.ts'
import {Rig} from '../../rig/rig.ts'

const PROGRAM = [process.execPath, join(import.meta.dirname, '../../../bin/pillion.js')]
const NEWS = join(import.meta.dirname, '../../fixtures/apps/news-to-file.mjs')
export const APPS = ['alpha', 'beta'] as const
export type App = (typeof APPS)[number]
export const SERVERS = ['a', 'b'] as const
export type ServerName = (typeof SERVERS)[number]
/** What a call at a sidecar may take at most: a component is waited for at most for seconds. */
const PATIENCE_MS = 30_000

export interface Answered {
  readonly status: number
  readonly text: string
}

/** A run of two apps, and two Redis servers that come and go. */
export class House {
  readonly rig = new Rig(PROGRAM)
  readonly #ends: (() => unknown)[] = []
  readonly #servers = new Map<ServerName, RealRedis>()
  readonly #ports = new Map<App, number>()
  #run: Program | undefined

  async open(): Promise<void> {
    await this.rig.open()
    for (const name of SERVERS) this.#servers.set(name, await realRedis({teardown: end => this.#ends.push(end)}))
    const ports = await freePorts(APPS.length)
    const apps = APPS.map((appID, n) => ({
      appID,
      appPort: ports[n],
      command: [process.execPath, NEWS],
      env: {NEWS: this.#newsOf(appID)}
    }))
    await this.rig.write({'resources/none.txt': ''})
    await this.rig.template(apps, {resourcesPath: './resources'})
    this.#run = this.rig.pillion(['run', '-f', '.'], {env: {PILLION_REDIS: 'off'}})
    for (const id of APPS) this.#ports.set(id, (await this.#run.ports(id)).http)
  }

  /** The events that an app has got, in their order. */
  got(app: App): readonly string[] {
    return orElse(() => readFileSync(this.#newsOf(app), 'utf8').split('\n'), [])
  }

  #newsOf(app: App): string {
    return join(this.rig.folder, `${app}.news`)
  }

  portOf(name: ServerName): number {
    return this.#servers.get(name)?.port ?? 0
  }

  async kill(name: ServerName): Promise<void> {
    await this.#servers.get(name)?.stop()
  }

  async start(name: ServerName): Promise<void> {
    await this.#servers.get(name)?.start()
  }

  /** Asks the server itself. */
  async ask(name: ServerName, ...command: readonly string[]): Promise<string> {
    const client = await respClient(this.portOf(name))
    try {
      return await client.call(...command)
    } finally {
      client.close()
    }
  }

  /** Writes a component, or removes its file; `more` is for its spec. */
  async component(
    name: string,
    type: string | undefined,
    metadata: Readonly<Record<string, string>> = {},
    more: Readonly<Record<string, unknown>> = {}
  ): Promise<void> {
    await this.file(name, type === undefined ? undefined : component(name, type, metadata, more))
  }

  async file(name: string, content: string | undefined): Promise<void> {
    const path = `resources/${name}.yaml`
    if (content === undefined) await rm(join(this.rig.folder, path), {force: true})
    else await this.rig.write({[path]: content})
  }

  /** Asks an app's sidecar. */
  async call(app: App, method: string, path: string, body?: unknown): Promise<Answered> {
    const answer = await fetch(`http://127.0.0.1:${this.#ports.get(app) ?? 0}/v1.0/${path}`, {
      method,
      headers: {'content-type': 'application/json'},
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body === undefined ? {} : {body: JSON.stringify(body)})
    })
    return {status: answer.status, text: await answer.text()}
  }

  async restart(app: App): Promise<void> {
    const {code, stdout, stderr} = await this.rig.run(['restart', app])
    if (code !== 0) throw new Error(`restart ${app}: ${code}\n${stdout}${stderr}`)
  }

  get hasEnded(): boolean {
    return this.#run?.hasExited !== false
  }

  /** What the run has printed. */
  get report(): string {
    return this.#run?.report() ?? ''
  }

  async close(hasPassed: boolean): Promise<void> {
    await this.rig.close(hasPassed)
    for (const end of this.#ends) await end()
  }
}
