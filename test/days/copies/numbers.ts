import {registerHooks} from 'node:module'
import type {AppPlan, Plan} from '../../../src/model/plan.ts'
import {Random} from '../../fuzz/random.ts'
import {FIRST_PORT, heldBy, isFreePort, world, type SimulatedRun} from './numbers-world.ts'

const WORLD = new URL('numbers-world.ts', import.meta.url).href
const ASKED = /\/(?:control\/(?:client|copies)|platform\/(?:process-table|paths)|ports\/app-port|numbers-in-files)\.ts$/
registerHooks({
  resolve(specifier, context, next) {
    const {parentURL = ''} = context
    const path = specifier.startsWith('.') ? new URL(specifier, parentURL).href : specifier
    const isAsked = /\/(?:isolation|isolation-hints|isolated-plan)\.ts$/.test(parentURL) && ASKED.test(path)
    return isAsked ? {url: WORLD, shortCircuit: true} : next(specifier, context)
  }
})
const {Isolation} = await import('../../../src/clients/cli/isolation.ts')
type OneIsolation = NonNullable<Awaited<ReturnType<typeof Isolation.of>>>

/** What a template says: the fixed number of each app, and of its sidecar; 0 = none. */
interface WrittenApp {
  readonly id: string
  readonly port: number
  readonly httpPort: number
}

/** A folder, and the run in it. */
interface Folder {
  file: string
  written: readonly WrittenApp[]
  run: SimulatedRun | undefined
  isolation: OneIsolation | undefined
  movedPorts: Map<number, number>
}

const FLAGS = {isSet: () => false} as unknown as Parameters<typeof Isolation.of>[1]
/** Numbers that templates fix: some are those that copies get. */
const TEMPLATE = [...Array.from({length: 6}, (_, at) => 10 + at), FIRST_PORT, FIRST_PORT + 1, FIRST_PORT + 2]

/** Each app is told the number of each other one, as an address and as a variable for a port. */
const planOf = ({file, written}: Folder): Plan => {
  const env = Object.fromEntries(
    written.filter(({port}) => port > 0).flatMap(({id, port}) => [[`${id}_URL`, `http://localhost:${port}/`]])
  )
  const apps = written.map(({id, port, httpPort}) => ({
    id,
    command: ['node', 'server.js', '--port', port.toString()],
    env,
    channel: {port, autoPort: false, address: ''},
    ready: {kind: 'command', command: ['ask', `127.0.0.1:${port}`], timeoutMs: 1},
    fixedPort: 0,
    sidecar: {httpPort, grpcPort: 0, internalGrpcPort: 0, metricsPort: 0}
  }))
  return {name: '', file, shownAs: '', managerPort: 'none', apps: apps as unknown as readonly AppPlan[]}
}

/** Copies of one template that start, end, are edited, killed and moved: which numbers each has. Gives what is not as it must be. */
export async function walkNumbers(seed: number, steps: number): Promise<{faults: string[]; done: string[]}> {
  const random = new Random('numbers', seed)
  world.runs = []
  world.strangers = new Set()
  const first: readonly WrittenApp[] = ['a', 'b'].map((id, at) => ({id, port: 10 + at, httpPort: 0}))
  const folders: Folder[] = ['/main', '/pr', '/fix'].map(folder => folderAt(`${folder}/dapr.yaml`, first))
  const faults: string[] = []
  const done: string[] = []
  let pid = 1
  let moves = 0

  const up = async (folder: Folder): Promise<void> => {
    const plan = planOf(folder)
    folder.movedPorts = new Map()
    const living = world.runs.map(({identity}) => identity)
    folder.isolation = await Isolation.of(plan, FLAGS, {living, movedPorts: folder.movedPorts})
    await start(folder, (await folder.isolation?.apply(plan)) ?? plan)
  }
  const start = async (folder: Folder, plan: Plan): Promise<void> => {
    const run = {
      identity: {pid: pid++, name: folder.file, copy: '', started: 1, templateFile: folder.file, appIds: []},
      plan
    }
    await check(folder, run)
    folder.run = run
    world.runs.push(run)
  }
  /** As `selected-apps.ts` reads an edited template. */
  const reread = async (folder: Folder): Promise<void> => {
    if (folder.run === undefined) return
    const plan = planOf(folder)
    const before = folder.run.plan
    const living = world.runs.map(({identity}) => identity)
    const {movedPorts} = folder
    folder.isolation ??= await Isolation.of(plan, FLAGS, {living, movedPorts, before})
    const wanted = (await folder.isolation?.apply(plan)) ?? plan
    await check(folder, {...folder.run, plan: wanted})
    folder.run.plan = wanted
  }
  const check = async (folder: Folder, run: SimulatedRun): Promise<void> => {
    const others = world.runs.filter(each => each.identity.templateFile !== folder.file)
    const own = heldBy(run)
    const had = new Set(folder.run === undefined ? [] : heldBy(folder.run))
    for (const other of others)
      for (const port of heldBy(other))
        if (own.includes(port)) faults.push(`${folder.file} gets ${port}, which ${other.identity.name} has`)
    if (new Set(own).size < own.length) faults.push(`${folder.file} gets ${own.join()}: one number twice`)
    // one that a program of nobody's template has stays as it is written, unless a copy runs
    for (const port of own)
      if (others.length > 0 && !had.has(port) && !(await isFreePort(port)))
        faults.push(`${folder.file} gets ${port}, at which another program listens`)
    if (others.length === 0 && folder.run === undefined && own.join() !== heldBy({...run, plan: planOf(folder)}).join())
      faults.push(`${folder.file} is alone, and gets ${own.join()}`)
    for (const [at, app] of run.plan.apps.entries()) {
      const {port = 0} = folder.written[at] ?? {}
      const now = app.channel.port
      for (const {env, id} of run.plan.apps)
        if (port > 0 && env[`${app.id}_URL`] !== `http://localhost:${now}/`)
          faults.push(`${id} is told that ${app.id} is at ${env[`${app.id}_URL`]}, it is at ${now}`)
      if (port > 0 && !app.command.includes(now.toString()))
        faults.push(`${app.id} is started at ${app.command.join(' ')}`)
      if (port > 0 && folder.movedPorts.size > 0 && (folder.movedPorts.get(port) ?? port) !== now)
        faults.push(`components find ${app.id} at ${folder.movedPorts.get(port)}, it is at ${now}`)
    }
  }
  const end = (folder: Folder): void => {
    world.runs = world.runs.filter(run => run !== folder.run)
    folder.run = undefined
    folder.isolation = undefined
  }
  const free = (written: readonly WrittenApp[]): number =>
    random.pick(TEMPLATE.filter(port => !written.some(each => each.port === port || each.httpPort === port)))
  const edits: readonly ((written: readonly WrittenApp[]) => readonly WrittenApp[])[] = [
    written => written.map((each, at) => (at === 0 ? {...each, port: free(written)} : each)),
    written => written.map((each, at) => (at === written.length - 1 ? {...each, httpPort: free(written)} : each)),
    written => written.map((each, at) => (at === 0 ? {...each, httpPort: 0} : each)),
    written => (written.length < 4 ? [...written, {id: newId(written), port: free(written), httpPort: 0}] : written),
    written => (written.length > 2 ? written.slice(0, -1) : written),
    written => written.toReversed()
  ]
  const acts: Readonly<Record<string, (folder: Folder) => Promise<void>>> = {
    up: async folder => (folder.run === undefined ? up(folder) : undefined),
    down: async folder => Promise.resolve(end(folder)),
    kill: async folder => {
      // its processes are there for a moment
      for (const port of folder.run === undefined ? [] : heldBy(folder.run)) world.strangers.add(port)
      end(folder)
      return Promise.resolve()
    },
    edit: async folder => {
      folder.written = random.pick(edits)(folder.written)
      await reread(folder)
    },
    'edit and up': async folder => {
      if (folder.run === undefined) folder.written = random.pick(edits)(folder.written)
      await acts['up']?.(folder)
    },
    'a stranger listens': async () => {
      const port = random.pick(TEMPLATE)
      if (await isFreePort(port)) world.strangers.add(port)
    },
    'strangers end': async () => Promise.resolve(world.strangers.clear()),
    move: async folder => {
      if (folder.run === undefined) folder.file = `/moved-${++moves}/dapr.yaml`
      return Promise.resolve()
    }
  }
  for (let step = 0; step < steps && faults.length === 0; step++) {
    const [kind, act] = random.pick(Object.entries(acts))
    const folder = random.pick(folders)
    await act(folder)
    const has = folder.run === undefined ? 'does not run' : `has ${heldBy(folder.run).join()}`
    const written = folder.written.map(({id, port, httpPort}) => `${id} ${port}/${httpPort}`).join(' ')
    done.push(`${kind} ${folder.file}: ${written}, ${has}; strangers at ${[...world.strangers].join()}`)
  }
  return {faults, done}
}

const newId = (written: readonly WrittenApp[]): string =>
  Array.from('abcd').find(id => !written.some(each => each.id === id)) ?? ''

const folderAt = (file: string, written: readonly WrittenApp[]): Folder => ({
  file,
  written,
  run: undefined,
  isolation: undefined,
  movedPorts: new Map()
})
