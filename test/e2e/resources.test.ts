import {once} from 'node:events'
import http from 'node:http'
import type {AddressInfo} from 'node:net'
import t, {type Test} from 'tap'
import {openRig} from '../rig/rig.ts'

/** A site outside that answers with its name. */
const site = async (t: Test, name: string): Promise<string> => {
  const server = http.createServer((_, response) => response.end(name))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port.toString()}`
}

const endpoint = (name: string, baseUrl: string): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: {name: ${name}}\nspec: {baseUrl: "${baseUrl}"}\n`

t.test(
  'resources that change are followed while the run goes on; a broken one is told and changes nothing',
  async t => {
    const rig = await openRig(t)
    const [old, anew] = [await site(t, 'old'), await site(t, 'new')]
    await rig.write({'resources/site.yaml': endpoint('site', old)})
    await rig.template([{appID: 'shop', resourcesPath: '../resources'}])
    const run = rig.pillion(['run', '-f', '.'])
    const shop = await rig.driven('shop')
    const answers = async (id: string): Promise<string> => (await shop.fetch(`/v1.0/invoke/${id}/method/x`)).body
    const until = async (id: string, expected: string): Promise<void> => {
      while ((await answers(id)) !== expected);
    }
    t.equal(await answers('site'), 'old')
    await rig.write({'resources/site.yaml': endpoint('site', anew)})
    await until('site', 'new')
    await rig.write({'resources/site.yaml': 'kind: HTTPEndpoint\nspec: [\n'})
    await run.stderr.line(/resources\/site\.yaml:\d:\d+: not valid YAML/)
    t.equal(await answers('site'), 'new')
    await rig.write({'resources/another.yml': endpoint('another', old)})
    await until('another', 'old')
    run.signal('SIGINT')
    t.match(await run.exited, {code: 0})
  }
)
