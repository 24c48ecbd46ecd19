import {PageGuard} from '../../../proxy/gateway/page-guard.ts'
import {randomUUID} from 'node:crypto'
import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Test} from 'tap'
import type {Admission} from '../../../proxy/gateway/admission.ts'
import type {NamedCallee} from '../../../proxy/gateway/routes.ts'
import {openManagerPort, type ManagerApiOptions} from '../manager-api.ts'
import type {ServiceInstance} from '../instance.ts'
import type {ManagementBackend} from '../management.ts'
import {Notifications} from '../notifications.ts'
import {createRoutes} from '../routes.ts'
import {Mirror, type Shadow} from '../../../proxy/net/mirror.ts'
import {Pool} from '../../../proxy/net/pool.ts'

export interface Backend {
  /** As it stands in a path: `scales`, `scales_1.0.0`. */
  readonly segment: string
  readonly port: number
  readonly version?: string
  /** Ports that get copies. */
  readonly shadows?: readonly number[]
  /** In place of letting calls in. */
  readonly admit?: NamedCallee['admit']
}

export interface ManagerScene {
  readonly port: number
  readonly notifications: Notifications
  readonly lines: string[]
  readonly warnings: string[]
  /** Calls let in and not yet over. */
  readonly underWay: () => number
}

export interface ManagerSettings extends Partial<Pick<ManagerApiOptions, 'guards' | 'observer'>> {
  readonly backends?: readonly Backend[]
  readonly instances?: readonly ServiceInstance[]
  readonly managed?: Partial<ManagementBackend>
  readonly mayManage?: boolean
}

const NOBODY: ManagementBackend = {
  list: () => [],
  assign: () => undefined,
  remove: async () => undefined,
  logs: async function* () {
    yield ''
  },
  newUpload: () => join(tmpdir(), `upload-${randomUUID()}`),
  deploy: async () => ''
}

/** The manager's port before servers of the test. */
export const openManager = async (t: Test, settings: ManagerSettings = {}): Promise<ManagerScene> => {
  const {backends = [], instances = [], managed = {}, mayManage = true} = settings
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  const pools: Pool[] = []
  const poolOf = (to: number): Pool => {
    const pool = new Pool({hosts: ['127.0.0.1', '::1'], port: to})
    pools.push(pool)
    return pool
  }
  const lines: string[] = []
  const warnings: string[] = []
  let underWay = 0
  const mirror = new Mirror(text => warnings.push(text), settings.observer)
  const permit = (pool: Pool): Admission => {
    underWay++
    return {ok: true, pool, isLocal: false, token: '', pathPrefix: '', leave: () => underWay--}
  }
  const services = new Map(
    backends.map(({segment, port: to, version = '1.0.0', shadows = [], admit}): [string, NamedCallee] => {
      const pool = poolOf(to)
      const copies = shadows.map((each): Shadow => ({
        name: `shadow ${each}`,
        callee: `${segment}@2.0.0`,
        admit: async () => ({pool: poolOf(each), leave: () => undefined})
      }))
      const [name = ''] = segment.split('_')
      const refuse: NamedCallee['admit'] = (_, isRefused) =>
        isRefused ? {ok: false, status: 500, error: 'refused'} : permit(pool)
      return [
        segment,
        {name, version, admit: admit ?? refuse, copy: copies.length === 0 ? undefined : of => mirror.copy(of, copies)}
      ]
    })
  )
  const unknown: NamedCallee = {
    name: '',
    version: '',
    admit: () => ({ok: false, status: 500, isUnknown: true, error: 'nobody'}),
    copy: undefined
  }
  const notifications = new Notifications()
  const front = openManagerPort([server], {
    caller: 'external',
    observer: settings.observer,
    findService: segment => services.get(segment) ?? unknown,
    guards: settings.guards ?? {
      isAllowedHost: authority => /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i.test(authority),
      isAuthorized: () => true,
      pages: new PageGuard([])
    },
    route: createRoutes({
      backend: {...NOBODY, list: () => instances, ...managed},
      notifications,
      onNotification: line => lines.push(line),
      version: '1.2.3',
      mayManage: () => mayManage
    }),
    warn: text => warnings.push(text)
  })
  t.teardown(() => {
    front.destroy()
    for (const pool of pools) pool.retire()
  })
  return {port, notifications, lines, warnings, underWay: () => underWay}
}
