import t from 'tap'
import {calls, endlessServer, halves, PREFACE, streams, waiting, type Standing} from '../rig/endless.ts'
import {knock, quietPorts} from '../rig/knock.ts'
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

const ROUNDS = 4
const IDS = ['ide', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const REQUEST = 'GET /v1.0/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'

t.test('eight apps, callers that knock from the first moment to the last, and every kind of connection', async t => {
  const rig = await openRig(t)
  const server = await endlessServer()
  t.teardown(async () => server.close())
  const [managerPort = 0, ...ports] = await quietPorts(1 + 3 * IDS.length)
  const sidecars = IDS.map((appID, index) => {
    const [daprHTTPPort = 0, daprGRPCPort = 0, metricsPort = 0] = ports.slice(3 * index)
    return {appID, daprHTTPPort, daprGRPCPort, metricsPort}
  })
  const knocks = [
    [managerPort, 'GET /services HTTP/1.1\r\nHost: localhost\r\n\r\n'] as const,
    ...sidecars.flatMap(({daprHTTPPort, daprGRPCPort, metricsPort}) => [
      [daprHTTPPort, REQUEST] as const,
      [daprGRPCPort, PREFACE] as const,
      [metricsPort, REQUEST] as const
    ])
  ]
  const template = (grace: string): Promise<void> =>
    rig.template(
      sidecars.map(sidecar => ({
        ...sidecar,
        stop: {timeout: grace},
        ...(sidecar.appID === 'ide'
          ? {appPort: server.port, command: []}
          : {autoPort: true, command: ['sleep', '3600']})
      })),
      {},
      {managerPort}
    )
  const other = rig.pillion(['run', '-a', 'other', '-p', server.port.toString()])
  await other.waitForLine("You're up and running")

  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, {grace, end}] of Object.entries(WAYS)) {
      await template(grace)
      const answered = knocks.map(async ([port, text]) => knock(port, {text, until: 'answered'}))
      const run = rig.pillion(['run', '-f', '.'])
      await Promise.all(answered)
      await run.waitForLine('Writing log files', {nth: IDS.length})

      const standing: Promise<Standing>[] = []
      const [{daprHTTPPort: port, daprGRPCPort, metricsPort} = {daprHTTPPort: 0, daprGRPCPort: 0, metricsPort: 0}] =
        sidecars
      for (const open of Object.values(halves))
        for (const each of [port, daprGRPCPort, metricsPort, managerPort])
          standing.push(open({port: each, prefix: '', server}))
      for (const callee of ['ide', 'other', `http://127.0.0.1:${server.port.toString()}`])
        for (const [kind, open] of Object.entries({...calls, ...streams}))
          // an endpoint is asked for no websocket
          if (kind !== 'a websocket' || !callee.startsWith('http'))
            standing.push(open({port, prefix: `/v1.0/invoke/${callee}/method`, server}))
      for (const open of Object.values(waiting))
        standing.push(open('/v1.0/invoke/b/method/x')({port, prefix: '', server}))
      const all = await Promise.all(standing)

      const refused = knocks.map(async ([each, text]) => knock(each, {text, until: 'refused'}))
      const ending = end(rig, run)
      t.same(await run.exited, {code: 0, signal: null}, `${name}: it ends`)
      await Promise.all([ending, ...refused, ...all.map(async ({closed}) => closed)])
      t.equal(run.stderr.text, '', 'without a word')
    }
  }
  other.signal('SIGTERM')
  await other.exited
  t.same(await rig.leftovers(), [])
})
