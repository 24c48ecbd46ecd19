import type {IncomingMessage} from 'node:http'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {misfit} from '../rig/api-schema.ts'
import {ask, controlSocket, open, linesOf} from '../rig/control-socket.ts'
import {openRig} from '../rig/rig.ts'

interface Told {
  readonly id?: number
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

/** The events of a response, one at a time; each fits its description. */
class Events {
  readonly #lines: AsyncIterator<string, undefined>
  readonly #seen: Told[] = []
  readonly #given = new Set<Told>()

  constructor(response: IncomingMessage) {
    this.#lines = linesOf(response)
  }

  /** The first event of this type for which that is true, and that was not given out before. */
  async next(type: string, isMeant: (data: Told['data']) => boolean = () => true): Promise<Told> {
    const isNext = (told: Told): boolean => told.type === type && !this.#given.has(told) && isMeant(told.data)
    for (let told = this.#seen.find(isNext); ; told = this.#seen.find(isNext)) {
      if (told !== undefined) {
        this.#given.add(told)
        return told
      }
      const {value, done} = await this.#lines.next()
      if (done === true) throw new Error(`no ${type}: ${JSON.stringify(this.#seen).slice(0, 2000)}`)
      if (value === '') continue
      const read = JSON.parse(value) as Told
      this.#seen.push(read)
      const why = misfit('Event', read)
      if (why !== '') throw new Error(`${value}: ${why}`)
    }
  }

  /** All events so far. */
  get seen(): readonly Told[] {
    return this.#seen
  }
}

const NDJSON = {headers: {accept: 'application/x-ndjson'}}
const APP = `
const http = process.getBuiltinModule('node:http')
console.log('up')
http.createServer((request, response) => {
  if (request.url === '/die') process.exit(3)
  response.end('{}')
}).listen(process.env.APP_PORT)
`

t.test('events tell what happens to apps and between them, and go on where a reader was', async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': APP})
  await rig.template([
    {appID: 'shop', appDirPath: '.', autoPort: true, command: ['node', 'app.mjs']},
    {appID: 'stock', appDirPath: '.', autoPort: true, restart: 'on-failure', command: ['node', 'app.mjs']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  await run.ports('stock')
  const socket = controlSocket(rig)
  const call = async (path: string): Promise<void> => {
    await (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/stock/method${path}`)).text()
  }
  await call('/before')
  const response = await open(socket, '/api/v1/events', NDJSON)
  t.match(response.headers, {'content-type': 'application/x-ndjson'})
  const events = new Events(response)
  const hello = await events.next('hello')
  t.match(hello.data, {apps: [{id: 'shop'}, {id: 'stock'}], lastCall: 1})
  const only = new Events(await open(socket, '/api/v1/events?types=app,death&app=shop', NDJSON))
  await only.next('hello')

  await call('/items?token=abc')
  const {data: sample} = await events.next('calls')
  t.match(sample, {calls: [{from: 'shop', to: 'stock', path: '/items?token=<masked, 3 characters>'}], notShown: 0})
  t.ok(await events.next('edges', ({edges}) => (edges as {calls: number}[])[0]?.calls === 2))

  await call('/die')
  const death = await events.next('death')
  t.match(death.data, {app: 'stock', exit: 'exited with code 3', inside: [{path: '/die'}]})
  t.ok(
    events.seen.some(({type, data}) => type === 'app' && data['id'] === 'stock' && data['state'] === 'backoff'),
    'its state was told'
  )
  const back = await events.next('app', ({id, isReady}) => id === 'stock' && isReady === true)
  response.destroy()
  const kept = await ask(socket, '/api/v1/events?once&types=death&app=stock.1', NDJSON)
  t.match(kept.body, '"exit":"exited with code 3"', 'the name of an instance stands for its app')
  const restarted = await ask(socket, '/api/v1/apps/shop/restart', {method: 'POST'})
  t.equal(restarted.status, 200)
  t.ok(await only.next('app', ({id}) => id === 'shop'))
  t.notOk(
    only.seen.some(({data}) => data['id'] === 'stock'),
    'no news of other apps'
  )

  const again = new Events(await open(socket, `/api/v1/events?after=${String(back.id)}`, NDJSON))
  const reload = await again.next('reload')
  t.match(reload.data, {app: 'shop', lost: 0})
  t.notOk(
    again.seen.some(({type, id = Infinity}) => type === 'hello' || id <= (back.id ?? 0)),
    'only what was missed'
  )
  for (const after of ['1', '999999999999999']) {
    const foreign = new Events(
      await open(socket, '/api/v1/events', {headers: {...NDJSON.headers, 'last-event-id': after}})
    )
    t.match((await foreign.next('reset')).data, {apps: [{id: 'shop'}, {id: 'stock'}]}, 'an id of another run')
  }
  const resumed = new Events(
    await open(socket, `/api/v1/events?after=${String(back.id)}`, {
      headers: {...NDJSON.headers, 'last-event-id': String(reload.id)}
    })
  )
  await rig.run(['restart', 'shop'])
  await resumed.next('reload')
  t.notOk(
    resumed.seen.some(({id = Infinity}) => id <= (reload.id ?? 0)),
    'the header is newer than the address'
  )
  const frames = await open(socket, '/api/v1/events?types=app')
  t.match(frames.headers, {'content-type': 'text/event-stream'})
  const lines = linesOf(frames) // the event that follows may come in the same piece
  for (const pattern of [/^id: \d+$/, /^event: hello$/, /^data: \{.*\}$/, /^$/])
    t.match((await lines.next()).value, pattern)
  frames.destroy()

  run.signal('SIGINT')
  t.ok(await again.next('bye'), 'the end of the run is told')
  await run.exited
})

const isHit = ({change, fault}: Told['data']): boolean => change === 'hit' && (fault as {hits: number}).hits > 0

t.test('a fault is told when it goes on and off, and how many calls it has hit', async t => {
  const rig = await openRig(t)
  await rig.write({'app.mjs': APP})
  await rig.template([
    {appID: 'shop', appDirPath: '.', autoPort: true, command: ['node', 'app.mjs']},
    {appID: 'stock', appDirPath: '.', autoPort: true, restart: 'always', command: ['node', 'app.mjs']}
  ])
  const run = rig.pillion(['run', '-f', '.'])
  const {http} = await run.ports('shop')
  await run.ports('stock')
  const socket = controlSocket(rig)
  const call = async (path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${http}/v1.0/invoke/stock/method${path}`)).status
  const events = new Events(await open(socket, '/api/v1/events?types=fault', NDJSON))
  await events.next('hello')
  const body = {from: 'shop', to: 'stock', status: 503, rate: 0.5, seed: 1, times: 20}
  const post = {method: 'POST', headers: {'content-type': 'application/json'}}
  await ask(socket, '/api/v1/faults', {...post, body: JSON.stringify(body)})
  const on = await events.next('fault')
  t.match(on, {
    id: Number,
    data: {
      change: 'on',
      fault: {number: 1, hits: 0},
      text: 'fault 1 is on: shop → stock: 503 (50 % of the calls) (20 times)'
    }
  })
  while ((await call('/x')) !== 503) await pause(5)
  t.match((await events.next('fault', isHit)).data, {fault: {number: 1, hits: 1}, text: ''})
  await ask(socket, '/api/v1/faults/1/disable', post)
  const disabled = await events.next('fault', ({change}) => change === 'disabled')
  t.match(disabled, {
    id: Number,
    data: {fault: {isEnabled: false, hits: 1}, text: /^fault 1 is disabled: shop → stock: it hit 1 of/}
  })
  await ask(socket, '/api/v1/faults/1/disable', post)
  await ask(socket, '/api/v1/faults/1/enable', post)
  const enabled = await events.next('fault', ({change}) => change !== 'hit')
  t.match(enabled.data, {change: 'enabled', fault: {isEnabled: true}, text: 'fault 1 is enabled again: shop → stock'})
  await ask(socket, '/api/v1/faults/1', {method: 'DELETE'})
  const off = await events.next('fault', ({change}) => change === 'off')
  t.match(off.data, {fault: {number: 1, hits: 1}, text: /^fault 1 is off: shop → stock: it hit 1 of \d+ calls?$/})
  await ask(socket, '/api/v1/faults', {...post, body: '{"from": "any", "to": "stock", "kill": true, "times": 1}'})
  await call('/x')
  const killed = await events.next('fault', ({text}) => String(text).includes('kills'))
  t.match(killed, {id: Number, data: {change: 'hit', fault: {number: 2, kind: 'kill'}}})
  t.equal((await events.next('fault', ({change}) => change === 'off')).data['change'], 'off', 'it is spent')
  const again = new Events(await open(socket, `/api/v1/events?types=fault&after=${String(on.id)}`, NDJSON))
  t.match((await again.next('fault')).data, {change: 'disabled', fault: {number: 1}})
})

t.test('a request for events that are none is refused', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop'}])
  const run = rig.pillion(['run', '-f', '.'])
  await run.ports('shop')
  const socket = controlSocket(rig)
  for (const [query, status, detail, hint] of [
    ['types=cals', 400, /no events "cals"/, /Did you mean calls\?/],
    ['types=zzzzzz', 400, /no events "zzzzzz"/, /app, edges, calls/],
    ['after=soon', 400, /"soon" is not an event id/, /last event/],
    ['app=shp', 404, /no app "shp"/, /Did you mean "shop"/]
  ] as const) {
    const answer = await ask(socket, `/api/v1/events?${query}`)
    t.equal(answer.status, status, query)
    t.equal(misfit('Problem', answer.json), '')
    t.match(answer.json, {detail, hint})
  }
  const readers = await Promise.all(Array.from({length: 64}, async () => open(socket, '/api/v1/events', NDJSON)))
  t.match(await ask(socket, '/api/v1/events'), {status: 503}, 'the 65th reader')
  readers[0]?.destroy()
  const events = new Events(readers[1] as IncomingMessage)
  await events.next('hello')
  run.signal('SIGINT')
  await events.next('bye')
  await run.exited
})
