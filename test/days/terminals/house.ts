import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import {component} from '../../rig/resource-files.ts'
import {Rig} from '../../rig/rig.ts'
import {environmentOf, tracesCarrying, type Trace} from '../../rig/traces.ts'

const ROOT = join(import.meta.dirname, '../../..')
const SERVER = `const {createServer} = process.getBuiltinModule('node:http')
createServer((request, response) => {
  if (request.url.startsWith('/dapr/')) response.statusCode = 404
  console.log(request.url)
  response.end('hello')
}).listen(process.env.APP_PORT, '127.0.0.1')
`
const WORKER = "trap 'sleep 0.3; exit 0' TERM; while :; do echo line; sleep 0.2; done"
const LOOK_MS = 50
/** So long what has been ended may take until it is gone: the machine may be busy. */
const PATIENCE_MS = 20_000

export const FOLDERS = ['a', 'b'] as const
/** By folder. */
export const APPS = {a: ['server', 'worker', 'shell', 'short'], b: ['other', 'second']} as const

/** A run, or what is about to be one, as it is registered. */
export interface Registered {
  readonly pid: number
  readonly started: number
  readonly templateFile: string
  readonly isStarting: boolean
}

/** Two templates, and what is there of them. */
export class House {
  readonly rig = new Rig([process.execPath, join(ROOT, 'bin/pillion.js')])
  #folders: readonly string[] = []

  async open(): Promise<void> {
    await this.rig.open()
    const worker = ['sh', '-c', WORKER]
    await this.rig.write({
      'a/server.mjs': SERVER,
      'a/resources/bus.yaml': component('bus', 'pubsub.in-memory'),
      'a/dapr.yaml': JSON.stringify({
        version: 1,
        common: {resourcesPath: './resources'},
        apps: [
          {appID: 'server', appDirPath: '.', autoPort: true, command: ['node', 'server.mjs']},
          {appID: 'worker', appDirPath: '.', command: worker},
          {appID: 'shell', appDirPath: '.', tty: true, command: ['sh']},
          {appID: 'short', appDirPath: '.', command: ['sh', '-c', 'echo short']}
        ]
      }),
      'b/dapr.yaml': JSON.stringify({
        version: 1,
        apps: ['other', 'second'].map(appID => ({appID, appDirPath: '.', command: worker}))
      })
    })
    this.#folders = this.#names()
  }

  /** Apart from logs, which stay. */
  #names(): readonly string[] {
    return readdirSync(this.rig.folder, {recursive: true, encoding: 'utf8'})
      .filter(name => !/(^|\/)\.dapr(\/logs(\/[^/]*\.log(\.\d+)?)?)?$/.test(name))
      .toSorted()
  }

  get processes(): readonly Trace[] {
    return tracesCarrying(this.rig.marker)
  }

  /** The processes of an app. */
  appProcesses(id: string): readonly Trace[] {
    return this.processes.filter(({pid}) => environmentOf(pid).includes(`APP_ID=${id}`))
  }

  /** The runs, and those that are about to be, whose process is there. */
  get registered(): readonly Registered[] {
    const living = this.processes
    return readdirSync(this.rig.runtimeDir, {encoding: 'utf8'})
      .flatMap(name => {
        try {
          const isStarting = name.startsWith('starting-')
          const path = join(this.rig.runtimeDir, name)
          const read = JSON.parse(readFileSync(isStarting ? path : join(path, 'about'), 'utf8')) as {
            readonly identity?: Omit<Registered, 'isStarting'>
          } & Omit<Registered, 'isStarting'>
          return [{...(read.identity ?? read), isStarting}]
        } catch {
          return []
        }
      })
      .filter(run => living.some(({pid}) => pid === run.pid))
  }

  /** Those that are a run of a folder now. */
  ofFolder(folder: string): readonly Registered[] {
    return this.registered.filter(({templateFile}) => templateFile === join(this.rig.folder, folder, 'dapr.yaml'))
  }

  /** Looks until there are none, as long as may be; each is a sentence. */
  async until(faults: () => readonly string[] | Promise<readonly string[]>): Promise<readonly string[]> {
    let found = await faults()
    for (const end = performance.now() + PATIENCE_MS; found.length > 0 && performance.now() < end;) {
      await pause(LOOK_MS)
      found = await faults()
    }
    return found
  }

  /** What is left once no run is to be there. */
  leftFaults(): readonly string[] {
    const left = [
      ...this.processes.map(({pid, command}) => `process ${pid} ${command}`),
      ...readdirSync(this.rig.runtimeDir)
        .filter(name => name !== 'dashboard.key')
        .map(name => `in the runtime folder: ${name}`),
      ...readdirSync(this.rig.home)
        .filter(name => name.startsWith('pillion') || name.startsWith('tmp'))
        .map(name => `in the folder of temporary files: ${name}`),
      ...this.#names()
        .filter(name => !this.#folders.includes(name))
        .map(name => `file ${name}`)
    ]
    return left.map(what => `is left: ${what}`)
  }
}
