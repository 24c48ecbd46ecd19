import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Random} from '../../fuzz/random.ts'
import type {Program} from '../../rig/program.ts'
import {Rig} from '../../rig/rig.ts'
import {component} from '../../rig/resource-files.ts'

const ROOT = join(import.meta.dirname, '../../..')
const SERVER = readFileSync(join(ROOT, 'test/fixtures/apps/day-server.mjs'), 'utf8')
const IDS = ['cart', 'checkout', 'mail', 'payments', 'stock'] as const

interface Entry {
  readonly id: string
  readonly replicas: number
  readonly mark: number
}

/** An app as `ps -o json` tells it, of which the page shows name and state. */
export interface Shown {
  readonly name: string
  readonly word: string
}

/** A run that changes in all the ways that its users know: what happens follows from the seed alone. */
export class House {
  readonly told: string[] = []
  readonly #rig = new Rig([process.execPath, join(ROOT, 'bin/pillion.js')])
  readonly #random: Random
  #apps: readonly Entry[] = ['cart', 'checkout', 'payments'].map(id => ({id, replicas: 1, mark: 0}))
  #count = 0
  #run: Program | undefined
  #isBroken = false

  constructor(random: Random) {
    this.#random = random
  }

  /** Of the page. */
  url = ''

  async open(): Promise<string> {
    await this.#rig.open()
    await this.#rig.write({
      'server.mjs': SERVER,
      'resources/store.yaml': component('statestore', 'state.in-memory'),
      'resources/bus.yaml': component('bus', 'pubsub.in-memory'),
      ...Object.fromEntries(IDS.map(id => [`${id}/version.txt`, '0']))
    })
    await this.#save()
    await this.#up()
    return this.url
  }

  async close(): Promise<void> {
    await this.#rig.close(true)
  }

  /** One thing that happens; gives what it was. */
  async happen(): Promise<string> {
    const [kind, what] = this.#random.pick(Object.entries(this.#happenings))
    const done = `${kind} ${await what(this.#random.pick(this.#apps).id)}`
    this.told.push(done)
    return done
  }

  /** Waits until nothing goes on; gives the apps. */
  async rest(): Promise<readonly Shown[]> {
    if (this.#isBroken) await this.#save()
    await this.#rig.run(['wait', '--for', 'idle:300ms', '--timeout', '20s'])
    const {stdout} = await this.#rig.run(['ps', '-o', 'json'])
    const apps = JSON.parse(stdout) as readonly {
      id: string
      instance: number
      state: string
      isReady: boolean
      loop: unknown
    }[]
    return apps
      .map(({id, instance, state, isReady, loop}) => ({
        name: instance === 1 ? id : `${id}.${instance}`,
        word: loop !== null ? 'loop' : state === 'running' ? (isReady ? 'ready' : 'not ready') : state
      }))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
  }

  get report(): string {
    return this.#run?.stdout.text ?? ''
  }

  async #up(): Promise<void> {
    this.#run = this.#rig.pillion(['up', '--watch'])
    await this.#rig.run(['wait', '--for', 'ready', '--timeout', '30s'])
    // its page listens when it is asked for, where it was
    this.url = /http:\S+/.exec((await this.#rig.run(['dashboard', '--no-open'])).stdout)?.[0] ?? ''
  }

  async #save(text?: string): Promise<void> {
    this.#isBroken = text !== undefined
    const apps = this.#apps.map(({id, replicas, mark}) => ({
      appID: id,
      appDirPath: id,
      autoPort: true,
      command: ['node', '../server.mjs'],
      env: {MARK: mark.toString()},
      ...(replicas > 1 && {replicas})
    }))
    await this.#rig.write({
      'dapr.yaml': text ?? JSON.stringify({version: 1, common: {resourcesPath: './resources'}, apps})
    })
  }

  async #call(from: string, path: string): Promise<string> {
    const {stdout} = await this.#rig.run(['ps', '-o', 'json'])
    const apps = JSON.parse(stdout) as readonly {id: string; httpPort: number}[]
    const port = apps.find(({id}) => id === from)?.httpPort ?? 0
    for (let n = 0; n < 5; n++)
      await fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        body: '"text"',
        signal: AbortSignal.timeout(5000)
      }).catch(() => undefined)
    return `${from} ${path}`
  }

  #edit(change: (entry: Entry) => readonly Entry[], id: string): Promise<void> {
    this.#apps = this.#apps.flatMap(entry => (entry.id === id ? change(entry) : [entry]))
    return this.#save()
  }

  readonly #happenings: Readonly<Record<string, (id: string) => Promise<string>>> = {
    save: async id => {
      await this.#rig.write({[`${id}/version.txt`]: (++this.#count).toString()})
      return id
    },
    'save bad code': async id => {
      await this.#rig.write({[`${id}/version.txt`]: 'bad'})
      return id
    },
    call: async id => this.#call(id, `/v1.0/invoke/${this.#random.pick(IDS)}/method/x`),
    publish: async id => this.#call(id, `/v1.0/publish/bus/to-${this.#random.pick(IDS)}`),
    flood: async id => this.#call(id, `/v1.0/invoke/${id}/method/?mark=m&count=2000`),
    verb: async id => {
      const verb = this.#random.pick(['stop', 'start', 'restart'])
      await this.#rig.run([verb, id])
      return `${verb} ${id}`
    },
    'edit env': async id => {
      await this.#edit(entry => [{...entry, mark: entry.mark + 1}], id)
      return id
    },
    'edit replicas': async id => {
      await this.#edit(entry => [{...entry, replicas: (entry.replicas % 3) + 1}], id)
      return id
    },
    remove: async id => {
      if (this.#apps.length > 1) await this.#edit(() => [], id)
      return id
    },
    add: async () => {
      const id = IDS.find(each => this.#apps.every(app => app.id !== each))
      if (id === undefined) return ''
      this.#apps = [...this.#apps, {id, replicas: 1, mark: 0}]
      await this.#save()
      return id
    },
    break: async () => {
      await this.#save('version: 1\napps: [')
      return ''
    },
    'down and up': async () => {
      if (!this.#random.oneIn(3)) return '(not now)'
      await this.#rig.run(['down'])
      await this.#run?.exited
      await this.#save()
      await this.#up()
      return ''
    }
  }
}
