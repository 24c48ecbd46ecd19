import type {Test} from 'tap'
import type {Program} from './program.ts'
import {FakeApiServer} from './fake-api-server.ts'
import {openRig, type Rig, type TemplateApp} from './rig.ts'

export interface Shop {
  readonly rig: Rig
  readonly server: FakeApiServer
  readonly env: Readonly<Record<string, string>>
  readonly run: (...args: readonly string[]) => Program
}

/** A template whose apps run on a cluster, whose API server is made up. */
export async function openShop(t: Test, apps: readonly TemplateApp[] = [{appID: 'stock'}]): Promise<Shop> {
  const rig = await openRig(t)
  const server = new FakeApiServer()
  await server.open()
  t.teardown(async () => server.close())
  await rig.write({config: server.kubeconfig()})
  await rig.template(
    apps.map(app => ({command: undefined, containerImage: 'test/app:1', ...app})),
    {},
    {name: 'shop'}
  )
  const env = {KUBECONFIG: `${rig.folder}/config`}
  return {rig, server, env, run: (...args) => rig.pillion(['run', '-k', '-f', '.', ...args], {env})}
}
