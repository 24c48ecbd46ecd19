import {join} from 'node:path'
import type {Test} from 'tap'
import {FakeApiServer} from '../../../../test/rig/fake-api-server.ts'
import {ClusterClient} from '../cluster/api-client.ts'
import {openAccess} from '../cluster/kubeconfig.ts'

/** An API server and a client of it, which are closed with the test. */
export async function openServer(t: Test): Promise<{readonly server: FakeApiServer; readonly client: ClusterClient}> {
  const server = new FakeApiServer()
  await server.open()
  const folder = t.testdir({config: server.kubeconfig()})
  const access = openAccess({context: '', namespace: ''}, {KUBECONFIG: join(folder, 'config')}, folder)
  const client = new ClusterClient(access)
  t.teardown(async () => {
    client.close()
    await server.close()
  })
  return {server, client}
}
