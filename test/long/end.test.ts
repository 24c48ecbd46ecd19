import t, {type Test} from 'tap'
import {calls, endlessServer, halves, PREFACE, streams, waiting, type Endless, type Standing} from '../rig/endless.ts'
import {freePorts} from '../rig/free-port.ts'
import {knock} from '../rig/knock.ts'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'

/** Longer than a test may take: what waits for it has failed. */
const NEVER = '60m'

interface Way {
  readonly grace: string
  readonly end: (rig: Rig, run: Program) => Promise<unknown>
}

const twice =
  (signal: NodeJS.Signals): Way['end'] =>
  async (_, run) => {
    run.signalGroup(signal)
    await run.waitForLine('Received signal to stop')
    run.signalGroup(signal)
  }

/** Each way to end a run, with the grace of its apps. */
const WAYS: Readonly<Record<string, Way>> = {
  'stop -f': {grace: '200ms', end: async rig => rig.run(['stop', '-f', '.'])},
  TERM: {grace: '200ms', end: async (_, run) => run.signal('SIGTERM')},
  'Ctrl-C': {grace: '200ms', end: async (_, run) => run.signalGroup('SIGINT')},
  'a second TERM': {grace: NEVER, end: twice('SIGTERM')},
  'a second Ctrl-C': {grace: NEVER, end: twice('SIGINT')}
}

const ROUNDS = 2
const IDS = ['ide', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const REQUEST = 'GET /v1.0/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'

interface Scene {
  readonly rig: Rig
  /** A run beside the one that is to end. */
  readonly other: Program
  readonly server: Endless
  readonly managerPort: number
  readonly sidecars: readonly {
    readonly appID: string
    readonly daprHTTPPort: number
    readonly daprGRPCPort: number
    readonly metricsPort: number
  }[]
}

async function scene(t: Test, grace: string): Promise<Scene> {
  const rig = await openRig(t)
  const server = await endlessServer()
  t.teardown(async () => server.close())
  const [managerPort = 0, ...ports] = await freePorts(1 + 3 * IDS.length)
  const sidecars = IDS.map((appID, index) => {
    const [daprHTTPPort = 0, daprGRPCPort = 0, metricsPort = 0] = ports.slice(3 * index)
    return {appID, daprHTTPPort, daprGRPCPort, metricsPort}
  })
  const appOf = (appID: string): object =>
    appID === 'ide' ? {appPort: server.port, command: []} : {autoPort: true, command: ['sleep', '3600']}
  const apps = sidecars.map(sidecar => ({...sidecar, stop: {timeout: grace}, ...appOf(sidecar.appID)}))
  await rig.template(apps, {}, {managerPort})
  const other = rig.pillion(['run', '-a', 'other', '-p', server.port.toString()])
  await other.waitForLine("You're up and running")
  return {rig, other, server, managerPort, sidecars}
}

/** Every port, and what is sent there. */
const knocksAt = ({managerPort, sidecars}: Scene): readonly (readonly [number, string])[] => [
  [managerPort, REQUEST],
  ...sidecars.flatMap(({daprHTTPPort, daprGRPCPort, metricsPort}) => [
    [daprHTTPPort, REQUEST] as const,
    [daprGRPCPort, PREFACE] as const,
    [metricsPort, REQUEST] as const
  ])
]

/** One connection of every kind, at every port and to every kind of callee. */
async function standAt({server, managerPort, sidecars: [first]}: Scene): Promise<readonly Standing[]> {
  if (first === undefined) throw new Error('there is an app')
  const {daprHTTPPort: port, daprGRPCPort, metricsPort} = first
  const endpoint = `http://127.0.0.1:${server.port}`
  const opening = [
    ...Object.values(halves).flatMap(open =>
      [port, daprGRPCPort, metricsPort, managerPort].map(async each => open({port: each, prefix: '', server}))
    ),
    ...['ide', 'other', endpoint].flatMap(callee =>
      Object.entries({...calls, ...streams})
        // an endpoint is asked for no websocket
        .filter(([kind]) => kind !== 'a websocket' || callee !== endpoint)
        .map(async ([, open]) => open({port, prefix: `/v1.0/invoke/${callee}/method`, server}))
    ),
    ...Object.values(waiting).map(async open => open('/v1.0/invoke/b/method/x')({port, prefix: '', server}))
  ]
  return Promise.all(opening)
}

for (const [name, {grace, end}] of Object.entries(WAYS)) {
  t.test(`${name}: callers that knock from the first moment to the last, and every kind of connection`, async t => {
    const all = await scene(t, grace)
    const {rig, other} = all
    const knocks = knocksAt(all)
    for (let round = 0; round < ROUNDS; round++) {
      const answered = knocks.map(async ([port, text]) => knock(port, {text, until: 'answered'}))
      const run = rig.pillion(['run', '-f', '.'])
      await Promise.all(answered)
      await run.waitForLine('Writing log files', {nth: IDS.length})
      const standing = await standAt(all)
      const refused = knocks.map(async ([port, text]) => knock(port, {text, until: 'refused'}))
      const ending = end(rig, run)
      t.same(await run.exited, {code: 0, signal: null}, 'it ends')
      await Promise.all([ending, ...refused, ...standing.map(async ({closed}) => closed)])
      t.equal(run.stderr.text, '', 'without a word')
    }
    await other.end()
    t.same(await rig.leftovers(), [])
  })
}
