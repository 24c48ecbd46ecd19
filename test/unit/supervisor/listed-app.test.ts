import t from 'tap'
import {listedApp} from '../../../src/supervisor/listed-app.ts'
import {planOf} from '../../rig/plan.ts'

const urlAt = (host: string): string => {
  const plan = planOf({published: {host, number: 5100, inCode: 5100}})
  const status = {startedAt: 0, waitsFor: [], loop: null}
  const opening = {ports: {}, logs: {app: {}, sidecar: {}}, createdAt: 0, listens: [], program: {starts: 0}, status}
  const app = {id: 'web', plan, opening, appPort: 0, pid: 0, app: {state: {}}}
  return listedApp(app as unknown as Parameters<typeof listedApp>[0], 'ready').url
}

t.test('the URL of an app has the address at which it is called', async t => {
  for (const host of ['', 'localhost', '127.0.0.1', '::1', '0.0.0.0', '::'])
    t.equal(urlAt(host), 'http://localhost:5100')
  t.equal(urlAt('127.0.0.2'), 'http://127.0.0.2:5100')
  t.equal(urlAt('fe80::1'), 'http://[fe80::1]:5100')
})
