import t from 'tap'
import {misfit} from '../rig/api-schema.ts'
import {ask, controlSocket, open} from '../rig/control-socket.ts'
import {openShop} from './replay-scene.ts'

t.test('answers about replays and pins are as the description of the API says; events tell of each', async t => {
  const {rig, call} = await openShop(t)
  await call('/items')
  await call('/orders', {method: 'POST', body: 'one'})
  const socket = controlSocket(rig)
  const post = async (path: string, body: object): ReturnType<typeof ask> =>
    ask(socket, `/api/v1${path}`, {method: 'POST', body: JSON.stringify(body)})
  const events = await open(socket, '/api/v1/events?types=replay', {headers: {accept: 'application/x-ndjson'}})

  const one = await post('/calls/1/replay', {})
  t.strictSame([one.status, misfit('Replay', one.json)], [200, ''])
  t.match(one.json, {call: 1, replay: 3, after: {status: 200}})
  t.match(await post('/calls/2/replay', {}), {status: 409, body: /POST may change data/})
  t.match(await post('/calls/2/replay', {unsafe: true}), {status: 200, json: {call: 2, replay: 4}})

  const edit = {path: '/orders?by=hand', body: 'two'}
  t.match(await post('/calls/2/replay', {unsafe: true, edit}), {json: {call: 2, path: '/orders?by=hand'}})
  t.match(await post('/replays', {calls: [2], unsafe: true, edit}), {body: /by=hand/})
  for (const [wrong, why] of [
    [{path: 'orders'}, /edit\.path is not a path that begins with \//],
    [{headers: {'a b': '1'}}, /edit\.headers has “a b”/],
    [{headers: {a: 'x\r\ny'}}, /edit\.headers\.a is not the value of a header/],
    [{method: 'P T'}, /edit\.method/],
    [{colour: 'red'}, /edit\.colour is not known/],
    ['all', /edit is not a JSON object/]
  ] as const)
    t.match(await post('/calls/2/replay', {unsafe: true, edit: wrong}), {status: 400, body: why})
  t.match(await post('/replays', {calls: [1, 2], edit}), {status: 400, body: /an edit is of one call/})

  const several = await post('/replays', {calls: [1, 2]})
  t.match(several, {status: 200, type: 'application/x-ndjson'})
  const lines = several.body.split('\n').filter(Boolean)
  t.same(
    lines.map(line => misfit('Replay', JSON.parse(line))),
    ['', '']
  )
  t.match(JSON.parse(lines[1] ?? ''), {call: 2, replay: 0, after: null, refusal: /POST/, hint: /--unsafe/})

  const pinned = await post('/pins', {call: 1})
  t.strictSame([pinned.status, misfit('Pins', pinned.json)], [200, ''])
  t.match(await ask(socket, '/api/v1/pins'), {
    status: 200,
    json: {pins: [{call: 1, noise: ['count']}], rounds: [{number: 1}]}
  })
  t.match(await ask(socket, '/api/v1/pins/1', {method: 'DELETE'}), {status: 200, json: {pins: []}})
  t.match(await ask(socket, '/api/v1/pins', {method: 'DELETE'}), {status: 200, json: {pins: []}})

  for (const [body, why] of [
    [{}, /no calls are named/],
    [{calls: []}, /no calls are named/],
    [{calls: ['1']}, /no calls are named/],
    [{calls: [1], pace: 'slow'}, /unknown pace slow/],
    [{window: 'now'}, /the window is not a JSON object/],
    [{window: {from: 'soon'}}, /from of the window is neither a call number nor a time/],
    [{window: {q: 'colour:red'}}, /colour/],
    [{window: {q: 'to:nobody'}}, /no call is in the window/],
    [{lastFailed: true}, /no failed call that can be sent again/],
    [{pinned: true}, /no call is pinned/]
  ] as const)
    t.match(await post('/replays', body), {status: 400, body: why}, JSON.stringify(body))
  t.match(await post('/replays', {calls: [99]}), {status: 404, body: /no call 99/})
  t.match(await post('/pins', {call: 'x'}), {status: 400, body: /not a call number/})

  let text = ''
  for await (const piece of events.setEncoding('utf8')) {
    text += piece as string
    if (text.split('"type":"replay"').length > 7) break
  }
  const told = text
    .split('\n')
    .filter(line => line.includes('"type":"replay"'))
    .map(line => JSON.parse(line) as unknown)
  t.same(
    told.map(event => misfit('Event', event)),
    told.map(() => '')
  )
  t.match(told, [
    {data: {call: 1}},
    {data: {call: 2}},
    {data: {call: 2, path: '/orders?by=hand'}},
    {data: {call: 2, path: '/orders?by=hand'}},
    {data: {call: 1}},
    {data: {call: 2, after: null}},
    {data: {call: 1}}
  ])
})
