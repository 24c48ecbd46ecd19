/** `run -k` on a terminal: the question before a cluster elsewhere, and how far the apps are. */
import t from 'tap'
import {FakeApiServer} from '../rig/fake-api-server.ts'
import {openRig} from '../rig/rig.ts'
import {noScreen, Screen} from '../rig/screen.ts'

t.test('a terminal', {skip: noScreen}, async t => {
  t.test('a cluster that is not on this machine is used after a yes, and not after anything else', async t => {
    for (const answer of ['y\r', '\r', '\x03', '\x04']) {
      const rig = await openRig(t)
      const server = new FakeApiServer()
      await server.open()
      t.teardown(async () => server.close())
      // a name that leads to this machine, and does not look like it
      const config = server
        .kubeconfig()
        .replaceAll('kind-fake', 'production')
        .replace('127.0.0.1', '[::ffff:127.0.0.1]')
      await rig.write({config})
      await rig.template([{appID: 'stock', command: undefined, containerImage: 'test/stock:1'}], {}, {name: 'shop'})
      const env = {KUBECONFIG: `${rig.folder}/config`}
      const screen = new Screen(rig, [...rig.program, 'run', '-k', '-f', '.'], {env})
      await screen.shows(
        /This will run a template in context "production", server \S+, namespace "shop"\. Continue\? \[y\/N\] /
      )
      screen.type(answer)
      if (answer !== 'y\r') t.ok(await screen.line(/❌ {2}nothing was done/))
      else {
        await screen.line(/1 app ready after/)
        screen.type('\x03')
        t.ok(await screen.line(/Deleting .*deployment\.yaml" from Kubernetes/))
      }
    }
  })
})
