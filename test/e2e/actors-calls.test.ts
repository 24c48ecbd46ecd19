import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import type {Call, CallDetail} from '../../src/model/api.generated.ts'
import {recordedCalls} from '../rig/control-socket.ts'
import {openActors, post, until, worksOf} from './actors-house.ts'

t.test('calls of actors, timers and reminders are recorded: type, id, method, waits and refusals', async t => {
  const {rig, call, journal} = await openActors(t)
  const rows = async (...filter: readonly string[]): Promise<readonly Call[]> => recordedCalls(rig, filter.join(' '))
  t.match(await call('shop', '/Counter/0/method/add', post('1')), {status: 200}, 'its host has started')
  t.match(await call('shop', '/Counter/1/method/add?by=hand', post('1')), {status: 200, body: '1'})
  const slow = call('shop', '/Counter/2/method/hold', post(join(rig.home, 'release')))
  await until(() => worksOf(journal(), 'Counter/2').includes('hold'))
  const waits = call('host', '/Counter/2/method/add', post('1'))
  let open: readonly Call[] = []
  while (open.length < 2) open = await rows('actor:Counter/2', 'is:open')
  t.match(open, [
    {from: 'shop', to: 'host', actor: {type: 'Counter', id: '2', method: 'hold'}, waitedFor: []},
    {from: 'host', to: 'host', path: '/actors/Counter/2/method/add', waitedFor: ['the turn of Counter/2']}
  ])
  t.ok((open[1]?.waitedMs ?? 0) > 0, 'who waits for a turn is seen waiting')
  writeFileSync(join(rig.home, 'release'), '')
  await Promise.all([slow, waits])
  t.match(await rows('actor:Counter/2', 'waited:1ms'), [{from: 'host', status: 200, isOpen: false, isFailed: false}])
  const [added] = await rows('actor:Counter/1')
  t.match(added, {
    method: 'PUT',
    path: '/actors/Counter/1/method/add?by=hand',
    status: 200,
    requestBytes: 1,
    responseBytes: 1,
    waitedFor: [],
    waitedMs: 0,
    marks: []
  })
  t.ok((added?.pid ?? 0) > 0, 'the process that was called')
  const detail = JSON.parse((await rig.run(['calls', `${added?.number}`, '-o', 'ndjson'])).stdout) as CallDetail
  t.match([detail.request.body, detail.response.body], ['1', '1'])
  t.match(await call('shop', '/Cart/7/method/add', post('1')), {status: 500})
  t.match(await rows('actor:Cart'), [
    {
      from: 'shop',
      to: 'Cart',
      isFailed: true,
      failure: /address for actor 'Cart\/7'/,
      actor: {type: 'Cart', id: '7', method: 'add'}
    }
  ])
  t.match(await call('host', '/Counter/1/timers/tick', post({dueTime: '0s'})), {status: 204})
  t.match(await call('host', '/Counter/1/reminders/wake', post({dueTime: '0s'})), {status: 204})
  await until(() => ['timer/tick', 'remind/wake'].every(work => worksOf(journal(), 'Counter/1').includes(work)))
  let fired: readonly Call[] = []
  while (fired.length < 2) fired = await rows('actor:Counter/1', 'is:own', '!is:open')
  t.match(
    fired.toSorted((a, b) => (a.from < b.from ? 1 : -1)),
    [
      {from: 'timer', to: 'host', actor: {method: 'timer/tick'}, marks: ['own']},
      {from: 'reminder', to: 'host', actor: {method: 'remind/wake'}, marks: ['own']}
    ]
  )
  t.match(await rig.run(['replay', `${added?.number}`, '--unsafe']), {code: 0, stdout: /body: 1 → 2/}, 'sent again')
  t.match(await call('shop', '/Counter/1/method/add', post('0')), {body: '2'}, 'in a turn of the actor')
  t.equal(worksOf(journal(), 'Counter/1').filter(work => work === 'add').length, 3)
})
