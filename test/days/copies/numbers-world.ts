/** The machine of `numbers.ts`: which runs there are, and who listens where. Modules that `isolation.ts` asks are replaced by this one. */
import type {RunIdentity} from '../../../src/control/run-file.ts'
import type {AppPlan, Plan} from '../../../src/model/plan.ts'

export {calledPort} from '../../../src/control/client.ts'

/** Few numbers, so that copies often come to the same. */
export const FIRST_PORT = 100
export const COUNT = 40

/** A run of a copy: its plan has the numbers that it was given. */
export interface SimulatedRun {
  readonly identity: RunIdentity
  plan: Plan
}

export const world: {
  runs: SimulatedRun[]
  /** Numbers at which other programs listen, and those of killed runs. */
  strangers: Set<number>
} = {runs: [], strangers: new Set()}

const appPorts = ({channel, sidecar}: AppPlan): readonly number[] =>
  [channel.port, sidecar.httpPort].filter(port => port > 0)

/** Where the processes of a run listen. */
export const heldBy = ({plan}: SimulatedRun): readonly number[] => plan.apps.flatMap(appPorts)

export const isFreePort = async (port: number): Promise<boolean> =>
  Promise.resolve(!world.strangers.has(port) && !world.runs.some(run => heldBy(run).includes(port)))

/** As the real one, with these numbers. */
export async function freeAppPort(
  taken: ReadonlySet<number>,
  {wanted = []}: {readonly wanted?: readonly number[]}
): Promise<number> {
  const all = Array.from({length: COUNT}, (_, at) => FIRST_PORT + at)
  for (const port of [...wanted, ...all]) if (!taken.has(port) && (await isFreePort(port))) return port
  throw new Error('no port is free')
}

export const usualAppPorts = (text: string): readonly number[] => {
  const sum = Array.from(text).reduce((hash, each) => (hash * 31 + (each.codePointAt(0) ?? 0)) % 10_007, 7)
  return Array.from({length: 5}, (_, at) => FIRST_PORT + ((sum + at * 7) % COUNT))
}

export const runOfProcess = async (_env: unknown, ofPid: number): Promise<unknown> => {
  const run = world.runs.find(({identity}) => identity.pid === ofPid)
  const apps = run?.plan.apps.map(({id, channel, sidecar}) => ({
    id,
    pid: 0,
    url: '',
    listens: [],
    appPort: channel.port,
    httpPort: sidecar.httpPort,
    grpcPort: 0
  }))
  return Promise.resolve(apps && {listing: {pid: ofPid, apps}})
}

/** All are copies of one template. */
export const copiesAmong = (runs: readonly RunIdentity[], {file}: {readonly file: string}): readonly RunIdentity[] =>
  runs.filter(({templateFile}) => templateFile !== file)

export const look = async (): Promise<unknown> => Promise.resolve({all: []})
export const descendantsIn = (): readonly unknown[] => []
export const numbersInFiles = (): readonly unknown[] => []
export const linksResolved = (path: string): string => path
export const templateIdentity = linksResolved
