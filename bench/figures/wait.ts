import type * as Api from '../../src/model/api.generated.ts'
import {ask, controlSocket} from '../../test/rig/control-socket.ts'
import type {Rig} from '../../test/rig/rig.ts'
import {inRounds, type Figure} from '../figure.ts'
import {withRig} from '../tools.ts'

const FANNED = 20
const SPAN_MS = 500
/** Calls by which the clock of a run is compared with ours. */
const PROBES = 20
/** Runs beside each other: a fan-out takes little more than its span. */
const RUNS = 4

/** `/fan` calls the other app so many times at once, and answers when all have answered; each takes up to 10 ms. */
const APP = `
import http from 'node:http'
import {setTimeout as pause} from 'node:timers/promises'
const sidecar = 'http://127.0.0.1:' + process.env.DAPR_HTTP_PORT
const one = async () => (await fetch(sidecar + '/v1.0/invoke/stock/method/item')).text()
http.createServer(async (request, response) => {
  if (request.url === '/fan') await Promise.all(Array.from({length: ${FANNED}}, one))
  else if (request.url === '/item') await pause(Math.random() * 10)
  response.end('{}')
}).listen(process.env.APP_PORT)
`

/**
 * `wait`: from the moment at which the last app listens until `wait --for ready` has returned; and how much later than `idle:500ms` is
 * true a wait that began within a fan-out of 20 calls is answered. One that is answered too early fails the figure.
 */
export const wait: Figure = {
  name: 'wait',
  needs: [],
  measure: async ({rounds, calls}) => {
    const ready = await inRounds(rounds, async () => withRig(readyAfter))
    const fans = Math.ceil(calls / 100 / RUNS)
    const late = await Promise.all(Array.from({length: RUNS}, async () => withRig(async rig => idleAfter(rig, fans))))
    return [
      {name: 'wait: ready', unit: 'ms', ours: ready, peer: [], peerName: ''},
      {name: 'wait: idle, late', unit: 'ms', ours: late.flat(), peer: [], peerName: ''}
    ]
  }
}

async function readyAfter(rig: Rig): Promise<number> {
  await rig.template([
    {appID: 'shop', autoPort: true},
    {appID: 'stock', autoPort: true}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  await run.ports('stock')
  const [shop, stock] = await Promise.all([rig.driven('shop'), rig.driven('stock')])
  await shop.listen()
  const waiting = ask(controlSocket(rig), '/api/v1/wait', {method: 'POST', body: '{"for": ["ready"]}'})
  await ask(controlSocket(rig), '/api/v1/wait', {method: 'POST', body: '{"for": ["ready:shop"]}'})
  await stock.listen()
  const begin = performance.now()
  const {json} = await waiting
  if ((json as Api.Waited).outcome !== 'met') throw new Error(`ready: ${JSON.stringify(json)}`)
  return performance.now() - begin
}

/** How far the clock by which a run tells the times of calls is ahead of ours, and the error of that. */
async function clockOf(socket: string, http: number): Promise<{aheadMs: number; errorMs: number}> {
  const probes = await inRounds(PROBES, async () => {
    const before = Date.now()
    await (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method/`)).text()
    const after = Date.now()
    const {json} = await ask(socket, '/api/v1/calls?limit=1')
    const [call] = (json as {calls: Api.Call[]}).calls
    // both clocks have whole milliseconds
    return {aheadMs: Date.parse(call?.at ?? '') - before, errorMs: after - before + 2}
  })
  return probes.reduce((best, probe) => (probe.errorMs < best.errorMs ? probe : best))
}

/** How late each of so many waits was. Throws if one of them was early. */
async function idleAfter(rig: Rig, fans: number): Promise<readonly number[]> {
  await rig.write({'app.mjs': APP})
  await rig.template(
    ['shop', 'stock'].map(appID => ({appID, appDirPath: '.', autoPort: true, command: ['node', 'app.mjs']}))
  )
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  const socket = controlSocket(rig)
  await ask(socket, '/api/v1/wait', {method: 'POST', body: '{"for": ["ready"]}'})
  const clock = await clockOf(socket, http)
  return inRounds(fans, async round => {
    const fan = fetch(`http://127.0.0.1:${http}/v1.0/invoke/shop/method/fan`)
    // from the first of its calls on
    const first = {for: [`calls:stock:${round * FANNED + 1}`]}
    await ask(socket, '/api/v1/wait', {method: 'POST', body: JSON.stringify(first)})
    const body = JSON.stringify({for: [`idle:${SPAN_MS}ms`]})
    const {json} = await ask(socket, '/api/v1/wait', {method: 'POST', body})
    const answeredAt = Date.now()
    const {calls: rows} = (await ask(socket, `/api/v1/calls?limit=${FANNED + 1}`)).json as {
      calls: Api.Call[]
    }
    const endedAt = Math.max(...rows.map(({at, totalMs}) => Date.parse(at) + totalMs)) - clock.aheadMs
    await (await fan).text()
    const expected = PROBES + (round + 1) * (FANNED + 1)
    const isOver = rows.every(({isOpen}) => !isOpen) && rows[0]?.number !== undefined && rows[0].number >= expected
    const lateMs = answeredAt - endedAt - SPAN_MS
    if ((json as Api.Waited).outcome !== 'met' || !isOver || lateMs < -clock.errorMs)
      throw new Error(`fan-out ${round}: ${JSON.stringify(json)}, ${lateMs} ms after the last call`)
    return lateMs
  })
}
