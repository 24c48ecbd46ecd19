import type {Random} from '../../fuzz/random.ts'
import type {Shop} from '../../kubernetes/rig/cluster.ts'
import type {Program} from '../../rig/program.ts'

/** An app of a template, and what a cluster shows of it. */
export interface Entry {
  readonly id: string
  /** In its environment: a new one means a rollout. */
  readonly mark: number
  readonly hasService: boolean
  /** Undefined: left to the cluster, which begins with 1. */
  readonly replicas: number | undefined
}

const PATIENCE = {limitMs: 60_000}
/** How soon after its start a run is killed, in ms. */
const YOUNG_MS = 3000

/**
 * One template in a namespace that it shares with others: who edits it, runs it, stops it, and what the cluster must hold of it after
 * that. Written from `docs/past-one-machine.md`.
 */
export class Team {
  readonly name: string
  readonly shop: Shop
  readonly #ids: readonly string[]
  readonly #random: Random
  #written: readonly Entry[]
  #runs: readonly Program[] = []
  /** What the cluster may hold of an app: several answers where a run was killed at a moment that nobody knows. */
  #deployed: ReadonlyMap<string, readonly (Entry | undefined)[]> = new Map()

  /** Lines of runs that another run of the same template has taken apps from. */
  readonly #mayComplain = new Set<string>()

  constructor(name: string, shop: Shop, ids: readonly string[], random: Random) {
    this.name = name
    this.shop = shop
    this.#ids = ids
    this.#random = random
    this.#written = ids.slice(0, 2).map(id => ({id, mark: 0, hasService: false, replicas: undefined}))
  }

  /** What the cluster may hold of an app: one of these. */
  may(id: string): readonly (Entry | undefined)[] {
    return this.#deployed.get(id) ?? [undefined]
  }

  get ids(): readonly string[] {
    return this.#ids
  }

  /** What its runs said that they should not have said. */
  get complaints(): readonly string[] {
    return this.#runs
      .flatMap(({stderr}) => stderr.text.split('\n'))
      .filter(line => line !== '' && !this.#mayComplain.has(line))
  }

  /** Writes the template. */
  async save(): Promise<void> {
    const apps = this.#written.map(({id, mark, hasService, replicas}, index) => ({
      appID: id,
      appPort: 3000,
      env: {MARK: mark.toString()},
      createService: hasService,
      ...(replicas !== undefined && {kubernetes: {replicas}}),
      ...(index > 0 && {dependsOn: [this.#written[0]?.id ?? '']})
    }))
    await this.shop.template(apps, {}, {name: this.name})
  }

  /** One thing that its people do; gives what it was. */
  async act(): Promise<string> {
    const [kind, act] = this.#random.pick(Object.entries(this.#acts))
    return `${this.name}: ${kind} ${await act()}`.trimEnd()
  }

  /** Ends what runs. */
  async close(): Promise<void> {
    for (const run of this.#runs) run.signal('SIGKILL')
    await Promise.all(this.#runs.map(async run => run.exited))
  }

  /** The next run deletes what the template has no more, which those that go on tell. */
  #noteRemoved(): void {
    for (const id of this.#ids)
      if (this.#entry(id) === undefined)
        for (const kind of ['Deployment', 'Service'])
          this.#mayComplain.add(`⚠  ${kind} "${id}" was deleted by someone else; the run continues`)
  }

  #entry(id: string): Entry | undefined {
    return this.#written.find(entry => entry.id === id)
  }

  async #edit(change: (entry: Entry) => readonly Entry[]): Promise<string> {
    const {id} = this.#random.pick(this.#written)
    this.#written = this.#written.flatMap(entry => (entry.id === id ? change(entry) : [entry]))
    await this.save()
    return id
  }

  readonly #acts: Readonly<Record<string, () => Promise<string>>> = {
    add: async () => {
      const id = this.#ids.find(each => this.#written.every(entry => entry.id !== each))
      if (id === undefined) return '(all are there)'
      this.#written = [...this.#written, {id, mark: 0, hasService: this.#random.oneIn(2), replicas: undefined}]
      await this.save()
      return id
    },
    remove: async () => (this.#written.length > 1 ? this.#edit(() => []) : '(the last one)'),
    'edit env': async () => this.#edit(entry => [{...entry, mark: entry.mark + 1}]),
    'edit service': async () => this.#edit(entry => [{...entry, hasService: !entry.hasService}]),
    'edit replicas': async () => this.#edit(entry => [{...entry, replicas: ((entry.replicas ?? 1) % 3) + 1}]),
    run: async () => this.#run(),
    'run again': async () => this.#run(),
    'kill a young run': async () => {
      this.#noteRemoved()
      const run = this.shop.run()
      await new Promise(resolve => setTimeout(resolve, this.#random.below(YOUNG_MS)))
      run.signal('SIGKILL')
      await run.exited
      // each object is as it was, or as the template has it
      this.#deployed = new Map(this.#ids.map(id => [id, [...this.may(id), this.#entry(id)]]))
      return `(${this.#written.length} apps)`
    },
    'kill -9': async () => {
      const [run, ...others] = this.#runs
      if (run === undefined) return '(nothing runs)'
      run.signal('SIGKILL')
      await run.exited
      this.#runs = others
      return ''
    },
    'Ctrl-C': async () => {
      const [run] = this.#runs
      if (run === undefined) return '(nothing runs)'
      run.signal('SIGINT')
      return this.#ended()
    },
    'Ctrl-C twice': async () => {
      const [run] = this.#runs
      if (run === undefined) return '(nothing runs)'
      run.signal('SIGINT')
      run.signal('SIGINT')
      return this.#ended({isForced: true})
    },
    stop: async () => {
      const {code, stderr} = await this.shop.pillion('stop', '-k', '-f', '.')
      if (code !== 0) throw new Error(`stop -k ended with ${code}: ${stderr}`)
      return this.#ended()
    }
  }

  /** Deploys the template as it is now, beside the runs of it that are there. */
  async #run(): Promise<string> {
    this.#noteRemoved()
    const run = this.shop.run()
    const count = this.#written.length
    await run.waitForLine(count === 1 ? '1 app ready' : `${count} apps ready`, PATIENCE)
    this.#runs = [...this.#runs, run]
    this.#deployed = new Map(this.#ids.map(id => [id, [this.#entry(id)]]))
    return `(${count} apps)`
  }

  /** Whoever takes the objects away ends all runs of the template. */
  async #ended({isForced = false} = {}): Promise<string> {
    const ends = await Promise.all(this.#runs.map(async run => run.exited))
    const bad = ends.filter(({code}) => code !== 0 && !(isForced && code === 1))
    if (bad.length > 0) throw new Error(`a run ended with ${JSON.stringify(bad)}: ${this.complaints.join('\n')}`)
    this.#runs = []
    this.#deployed = new Map()
    return `(${ends.length} runs ended)`
  }
}
