import {inRounds, type Figure, type MeasureName, type Scale} from '../figure.ts'
import {load, type Load} from '../load.ts'
import {checkContract, startPair, type Pair, type PairOptions} from '../pair.ts'
import {cpuOf, withRig} from '../tools.ts'

const CONNECTIONS = 32
/** A round of a pair is cut into so many parts, and the pairs take turns: what else the machine does meets all of them. */
const TURNS = 5

const common = {configFilePath: './config.yaml', record: false}
const configuration = (spec: object): string => JSON.stringify({kind: 'Configuration', spec})
const NO_METRICS = {metrics: {enabled: false}}
const METRICS = configuration({})

const RESILIENCY = JSON.stringify({
  kind: 'Resiliency',
  metadata: {name: 'bench'},
  spec: {
    policies: {retries: {again: {policy: 'constant', duration: '100ms', maxRetries: 3}}},
    targets: {apps: {callee: {retry: 'again'}}}
  }
})

const ACCESS_CONTROL = configuration({
  ...NO_METRICS,
  accessControl: {
    defaultAction: 'deny',
    policies: [
      {
        appId: 'caller',
        trustDomain: 'public',
        namespace: 'default',
        defaultAction: 'deny',
        operations: [
          {name: '/items/*', httpVerb: ['GET'], action: 'allow'},
          {name: '/echo', httpVerb: ['POST'], action: 'allow'}
        ]
      }
    ]
  }
})

/** Nothing stands around the calls, and nothing counts them. */
const BARE: PairOptions = {folder: 'bare', common, files: {'config.yaml': configuration(NO_METRICS)}}

/** As a run is if its template says nothing else; it is compared with the same that records nothing. */
const RECORDED: PairOptions = {
  folder: 'recorded',
  common: {configFilePath: './config.yaml'},
  files: {'config.yaml': METRICS}
}

const PAIRS: readonly (PairOptions & {readonly name: MeasureName})[] = [
  {name: 'calls: metrics', folder: 'metrics', common, files: {'config.yaml': METRICS}},
  {
    name: 'calls: retries, metrics',
    folder: 'retries',
    common: {...common, resourcesPath: './resources'},
    files: {'config.yaml': METRICS, 'resources/resiliency.yaml': RESILIENCY}
  },
  {name: 'calls: recorder', ...RECORDED},
  {name: 'calls: access control', folder: 'access', common, files: {'config.yaml': ACCESS_CONTROL}}
]

/**
 * Calls from app to app with the recorder, metrics, policies or access control, beside those without any of them: how many a second of our
 * processor time carries, which does not depend on what else the machine does.
 */
export const policies: Figure = {
  name: 'policies',
  needs: ['go', 'wrk'],
  measure: async scale =>
    withRig(async rig => {
      const pairs: Pair[] = []
      for (const options of [BARE, ...PAIRS]) pairs.push(await startPair(rig, options))
      const loads = pairs.map((): Load[] => [])
      await round(pairs, loads, {...scale, seconds: TURNS}) // warm
      const results = await inRounds(scale.rounds, async () => round(pairs, loads, scale))
      for (const [at, {calleePort}] of pairs.entries()) await checkContract(calleePort, loads[at] ?? [])
      for (const {program} of pairs) program.signal('SIGTERM')
      await Promise.all(pairs.map(async ({program}) => program.exited))
      const column = (at: number): readonly number[] => results.map(perSecond => perSecond[at] ?? Number.NaN)
      return PAIRS.map(({name}, at) => ({
        name,
        unit: '/s',
        ours: column(at + 1),
        peer: column(name === 'calls: recorder' ? 1 : 0),
        peerName: 'without'
      }))
    })
}

/** Calls of each pair in a second of its processor time. */
async function round(
  pairs: readonly Pair[],
  loads: readonly Load[][],
  {seconds}: Pick<Scale, 'seconds'>
): Promise<readonly number[]> {
  const requests = pairs.map(() => 0)
  const cpuMs = pairs.map(() => 0)
  for (let turn = 0; turn < TURNS; turn++)
    for (const [at, {url, program}] of pairs.entries()) {
      const before = await cpuOf(program.pid)
      const done = await load({url, connections: CONNECTIONS, seconds: Math.max(1, Math.round(seconds / TURNS))})
      loads[at]?.push(done)
      requests[at] = (requests[at] ?? 0) + done.requests
      cpuMs[at] = (cpuMs[at] ?? 0) + (await cpuOf(program.pid)) - before
    }
  return requests.map((count, at) => (1000 * count) / (cpuMs[at] ?? Number.NaN))
}
