import {once} from 'node:events'
import {mkdtempSync} from 'node:fs'
import net from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import t from 'tap'
import {bindLeft, takeInTurn} from '../../../../src/control/left-ports.ts'
import {boundAt, release} from '../../../../src/proxy/net/claimed-server.ts'
import {Entrance} from '../../../../src/proxy/published/entrance.ts'
import {firstAccepting} from '../../../../src/platform/probe.ts'
import {badHost} from '../../../../src/proxy/published/entrance-pages.ts'
import {refusal} from '../../../../src/proxy/published/refusal.ts'
import {EntrancePorts} from '../../../../src/run/entrance-ports.ts'
import {freePort} from '../../../rig/free-port.ts'
import {homeOf} from './publish.ts'

/** An entrance that knows no app. */
const newEntrance = (): Entrance =>
  new Entrance({
    appNamed: () => undefined,
    dashboardNamed: () => undefined,
    socketOf: () => '',
    names: () => [],
    contextOf: async () => undefined,
    appAt: () => '',
    warn: text => t.fail(text),
    hostRefused: text => t.fail(text)
  })

const addressOf = (claim: net.Server): string => `${boundAt(claim).address} ${boundAt(claim).port}`

t.test('one run has the entrance, and the next one listens at 127.0.0.1 before the first one leaves it', async t => {
  const [port, short] = [await freePort(), await freePort()]
  const newPorts = (): EntrancePorts => new EntrancePorts({PILLION_NAMES_PORT: `${port},${short}`})
  const [first, second, third] = [newPorts(), newPorts(), newPorts()]
  t.equal(await first.bind({apps: []}), true)
  t.teardown(() => first.bound.forEach(release))
  if (first.bound.length < 4) return void t.pass('without ::1, the address is left first', {skip: true})
  t.equal(await second.bind({apps: []}), false, 'it is taken')
  const addresses = new Set(first.bound.map(addressOf))
  const entrance = newEntrance()
  entrance.listen(first.bound)
  const {home, isAsked} = await homeOf(t, entrance)
  const refused: string[] = []
  const isWanted = (address: string, number: number): boolean => {
    const look = firstAccepting({addresses: ['127.0.0.1'], port: number})
    void look.then(host => host ?? refused.push(`${address} ${number}`))
    return true
  }
  const left = bindLeft({home}, {port, when: 'at the end', isShared: true, isWanted})
  await isAsked
  const over = entrance.handOver()
  const bound = await left
  t.strictSame(refused, [], 'no caller of 127.0.0.1 is refused')
  t.same(new Set(bound.map(addressOf)), addresses, 'all ports are left in this way')
  await over
  t.equal(await second.bind({apps: []}, bound), true)
  t.equal(await third.bind({apps: []}), false, 'it is taken again')
  second.bound.forEach(release)
  await entrance.close(AbortSignal.abort())
})

t.test('a program at the port is reported at once, also a silent one', async t => {
  const program = net.createServer().listen(0, '127.0.0.1')
  await once(program, 'listening')
  const holders: unknown[] = []
  await takeInTurn({
    env: {PILLION_RUNTIME_DIR: mkdtempSync(join(tmpdir(), 'runs-'))},
    port: boundAt(program).port ?? 0,
    signal: AbortSignal.timeout(60_000),
    isWanted: () => true,
    held: holder => {
      holders.push(holder)
      program.close()
      return true
    },
    take: async () => Promise.resolve(!program.listening)
  })
  t.match(holders, [{kind: 'program', owner: new RegExp(`\\(pid ${process.pid}\\)$`)}])
})

t.test('a port that cannot be had is a mistake of the user', async t => {
  for (const PILLION_NAMES_PORT of ['abc', '99999999', '-1', '0x1g'])
    await t.rejects(
      new EntrancePorts({PILLION_NAMES_PORT}).bind({apps: []}),
      new RegExp(`PILLION_NAMES_PORT: "${PILLION_NAMES_PORT}" is not a port`)
    )
})

const formsFor = (accept: string): readonly string[] => {
  const lines = `Host: web.localhost\r\nAccept: ${accept}\r\nSec-Fetch-Mode: navigate\r\n`
  return [badHost(lines), refusal({status: 503, callee: '', why: '', lastLines: [], lines})].map(({type}) =>
    type.slice(0, 9)
  )
}

t.test('a caller gets the form that its Accept header prefers, at the entrance and at a port', async t => {
  t.same(formsFor('text/html, application/json;q=0.9'), ['text/html', 'text/html'])
  t.same(formsFor('application/json'), ['applicati', 'text/plai'])
})
