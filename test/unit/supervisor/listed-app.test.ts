import t from 'tap'
import {listedApp} from '../../../src/supervisor/listed-app.ts'
import {planOf} from '../../rig/plan.ts'

const urlAt = (host: string): string => {
  const plan = planOf({published: {host, number: 5100, inCode: 5100}})
  const app = {id: 'web', plan, ports: {}, appPort: 0, pid: 0, logs: {app: {}, sidecar: {}}, app: {state: {}}}
  const known = {createdAt: 0, startedAt: 0, restarts: 0, waitsFor: [], loop: null, listens: []}
  return listedApp(app as unknown as Parameters<typeof listedApp>[0], known).url
}

t.test('the URL of an app has the address at which it is called', t => {
  for (const host of ['', 'localhost', '127.0.0.1', '::1', '0.0.0.0', '::'])
    t.equal(urlAt(host), 'http://localhost:5100')
  t.equal(urlAt('127.0.0.2'), 'http://127.0.0.2:5100')
  t.equal(urlAt('fe80::1'), 'http://[fe80::1]:5100')
  t.end()
})
