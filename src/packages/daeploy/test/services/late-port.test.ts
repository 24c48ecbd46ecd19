import t from 'tap'
import {Services, type ServicesOptions} from '../../services/services.ts'

t.test('a manager port that an edit could not open is opened by the next; the end does not fail', async t => {
  let isBroken = true
  const svc = {fixedPort: 8000, sidecar: {listenAddresses: []}, channel: {port: 0}, ready: {kind: 'spawned'}}
  const plan = {
    managerPort: 'none',
    get apps() {
      if (isBroken) throw new Error('EMFILE')
      return []
    }
  }
  const urls: string[] = []
  const services = new Services({
    plan,
    env: {HOME: t.testdir()},
    run: 'run',
    routes: {versions: {runtimes: [{id: 'svc', plan: svc, wanted: svc}]}, named: () => undefined},
    emit: ({url}: {url: string}) => urls.push(url),
    lifetime: {stopRequested: new AbortController().signal}
  } as unknown as ServicesOptions)
  await t.rejects(services.openApis(), {message: 'EMFILE'})
  isBroken = false
  await Promise.all([services.openApis(), services.openApis()])
  t.equal(urls.length, 1)
  t.ok((await fetch(`${urls[0]}`)).status)
  await services.close(AbortSignal.abort())
  await t.rejects(fetch(`${urls[0]}`))
})
