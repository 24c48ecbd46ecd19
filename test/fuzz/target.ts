import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {managerOf} from '../rig/manager.ts'
import type {Program} from '../rig/program.ts'
import type {Rig} from '../rig/rig.ts'
import {EchoApp} from './echo-app.ts'
import {GoodClient} from './good-client.ts'
import {HostileApp} from './hostile-app.ts'
import {INSPECTED, Inspector} from './inspector.ts'

/** Hostile apps of each protocol: so many calls to them at once, each with an app of its own. */
export const HOSTILE = 4

const PILLION = join(import.meta.dirname, '../../bin/pillion.js')

/** A run under fire: one good app, hostile ones, and a Daeploy service. */
export interface Target {
  /** For commands of other terminals. */
  readonly rig: Rig
  readonly program: Program
  readonly echo: EchoApp
  readonly good: GoodClient
  /** The sidecar that good calls and bad ones come through. */
  readonly sidecarPort: number
  /** Others of its listeners: that of gRPC, metrics and the Daeploy manager. */
  readonly otherPorts: readonly number[]
  readonly managerPort: number
  readonly socket: string
  /** By protocol: `http`, `h2c`, and `web`, which is an HTTPEndpoint. */
  readonly hostile: Readonly<Record<'http' | 'h2c' | 'web', readonly HostileApp[]>>
  readonly inspector: Inspector
  close(): void
}

const endpoint = (name: string, port: number): string =>
  JSON.stringify({
    apiVersion: 'dapr.io/v1alpha1',
    kind: 'HTTPEndpoint',
    metadata: {name},
    spec: {baseUrl: `http://127.0.0.1:${port}`}
  })

const apps = async (protocol: 'http' | 'h2c'): Promise<readonly HostileApp[]> =>
  Promise.all(Array.from({length: HOSTILE}, async () => new HostileApp(protocol).open()))

/** Starts it; everything is ready. Hostile apps are called `http0`, `h2c3`, `web1` … */
export async function openTarget(rig: Rig): Promise<Target> {
  const echo = await new EchoApp().open()
  const [http, h2c, web] = await Promise.all([apps('http'), apps('h2c'), apps('http')])
  const command = undefined
  const alien = (name: string, protocol: string) => (app: HostileApp, index: number) => ({
    appID: `${name}${index}`,
    appPort: app.port,
    appProtocol: protocol,
    command
  })
  await rig.write(
    Object.fromEntries(web.map(({port}, index) => [`res/web${index}.yaml`, endpoint(`web${index}`, port)]))
  )
  await rig.template(
    [
      {appID: 'echo', appPort: echo.port, command, metricsPort: 0},
      {appID: 'service', version: '1.0.0'},
      ...http.map(alien('http', 'http')),
      ...h2c.map(alien('h2c', 'h2c'))
    ],
    {resourcesPath: './res'},
    {managerPort: 0}
  )
  const program = rig.start([process.execPath, INSPECTED, PILLION, 'run', '-f', '.'])
  const {http: sidecarPort, grpc} = await program.ports('echo')
  const service = await rig.driven('service')
  await service.listen()
  await service.answer({body: 'service'})
  await program.waitForLine('Writing log files')
  const manager = Number(new URL(await managerOf(program)).port)
  const [home = ''] = await readdir(rig.runtimeDir)
  const good = new GoodClient(sidecarPort)
  const inspector = await Inspector.of(program)
  return {
    rig,
    program,
    echo,
    good,
    inspector,
    sidecarPort,
    otherPorts: [grpc, manager],
    managerPort: manager,
    socket: join(rig.runtimeDir, home, 'socket'),
    hostile: {http, h2c, web},
    close: () => {
      good.close()
      inspector.close()
      echo.close()
      for (const app of [...http, ...h2c, ...web]) app.close()
    }
  }
}
