import t from 'tap'
import type {Call} from '../../../../src/model/call.ts'
import {isHeld, type Admission, type Admit, type Held} from '../../../../src/proxy/gateway/admission.ts'
import type {CallerIdentity} from '../../../../src/proxy/gateway/caller-header.ts'
import {Routes, type Reachable} from '../../../../src/proxy/gateway/routes.ts'
import type {Pool} from '../../../../src/proxy/net/pool.ts'
import {aCall} from '../../../rig/made-call.ts'

const CALL: Call = aCall()
const CALLER: CallerIdentity = {appId: 'shop', namespace: 'default', trustDomain: 'public'}
const ADMITTED: Admission = {
  ok: true,
  pool: {} as Pool,
  isLocal: false,
  token: '',
  pathPrefix: '/v1.0/invoke/stock/method',
  leave: () => undefined
}

/** The ways of a run that has no app, and what it asks of other runs. */
function openRoutes(answer: Admission | Held): {
  readonly routes: Routes<Reachable>
  readonly asked: Parameters<Admit>[]
} {
  const asked: Parameters<Admit>[] = []
  const elsewhere: Admit = (...all) => {
    asked.push(all)
    return answer
  }
  const reporter = {warn: (code: string, text: string) => t.fail(`${code}: ${text}`)}
  return {routes: new Routes({planned: [], elsewhere, reporter}), asked}
}

t.test('another run is asked for what no app here is, and hears who calls; it resolves the name', async t => {
  const {routes, asked} = openRoutes(ADMITTED)
  const stock = routes.named('stock_1.0.0')
  t.match(stock, {name: 'stock', version: '', copy: undefined})
  t.match(stock.admit(CALL, true, CALLER), {ok: true, pathPrefix: '/services/stock_1.0.0'})
  t.equal(asked.length, 1)
  t.equal(asked[0]?.[0], CALL)
  t.equal(asked[0]?.[1], true, 'it was refused just now')
  t.equal(asked[0]?.[2], CALLER)
})

t.test('a refusal of the other run is passed on as it is', async t => {
  const refusal: Admission = {ok: false, status: 500, error: 'stopped'}
  t.equal(openRoutes(refusal).routes.named('stock').admit(CALL, false, undefined), refusal)
})

t.test('a call that waits for another run is cancelled there', async t => {
  const {promise, resolve} = Promise.withResolvers<Admission>()
  let cancelled = 0
  const answer = {admitted: promise, reason: 'it starts', cancel: () => void cancelled++}
  const held = openRoutes(answer).routes.named('stock').admit(CALL, false, CALLER)
  if (!isHeld(held)) throw new Error('it is not held')
  t.equal(held.reason, 'it starts')
  held.cancel()
  t.equal(cancelled, 1)
  resolve(ADMITTED)
  t.match(await held.admitted, {pathPrefix: '/services/stock'})
})
