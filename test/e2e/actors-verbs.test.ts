import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {openActors, post, until, worksOf} from './actors-house.ts'

t.test('pillion actors and reminders: what is active, waits, is due; one fires now, one is deleted', async t => {
  const {rig, run, call, journal} = await openActors(t)
  t.match(await call('shop', '/Counter/1/method/add', post('1')), {status: 200})
  const slow = call('shop', '/Counter/2/method/hold', post(join(rig.home, 'release')))
  await until(() => worksOf(journal(), 'Counter/2').includes('hold'))
  const waits = call('shop', '/Counter/2/method/add', post('1'))
  const reminder = {dueTime: '1h', period: 'R3/PT1H', data: {token: 'a'}}
  for (const name of ['wake', 'late'])
    t.match(await call('host', `/Counter/1/reminders/${name}`, post(reminder)), {status: 204})
  const types = await rig.run(['actors'])
  t.match(types, {
    code: 0,
    stdout: /^TYPE +HOSTS +ACTIVE +BUSY +WAITING +REMINDERS +NEXT *\nCounter +host +2 +1 +1 +2 +in 59m/
  })
  t.match(await rig.run(['actors', 'Counter']), {code: 0, stdout: /\n2 +host +hold +\d+s +1 +\d+s/})
  const one = await rig.run(['actors', 'Counter/2'])
  t.match(one, {
    code: 0,
    stdout: /^Counter\/2: at host\ninside: hold from shop since \d+s\nwaits: add from shop since \d+s\n$/
  })
  t.match(JSON.parse((await rig.run(['actors', 'Counter/2', '-o', 'json'])).stdout), {
    calls: [{work: 'hold'}],
    queue: [{work: 'add', caller: 'shop'}]
  })
  t.match(await rig.run(['actor', 'Counter']), {code: 0, stdout: /\n2 +host +hold/}, 'by its other name')
  t.match(await rig.run(['reminders', 'list', 'Cart/1']), {code: 0, stderr: /No reminder of Cart\/1 is set/})
  t.match(await rig.run(['actors', 'Cart']), {
    code: 1,
    stderr: /no app hosts actors of the type 'Cart'\n.*host: Counter/
  })
  t.match(await rig.run(['actors', 'Counter/9']), {
    code: 1,
    stderr: /the actor Counter\/9 is not active, and has no reminders/
  })
  t.match(await rig.run(['actors', 'Counter/']), {code: 255, stderr: /expected TYPE or TYPE\/ID/})
  writeFileSync(join(rig.home, 'release'), '')
  t.match(await slow, {status: 200})
  t.match(await waits, {status: 200})
  t.match(await rig.run(['reminders', 'list']), {code: 0, stdout: /Counter\/1\/wake +in 59m +R3\/PT1H +3 +host/})
  t.match(await rig.run(['actor', 'Counter/1']), {code: 0, stdout: /\nSTATE +VALUE *\nvalue +1 *\n$/})
  t.match(await rig.run(['reminders']), {code: 0, stdout: /Counter\/1\/wake +in 59m/}, 'without a verb it lists')
  t.match(await rig.run(['jobs']), {code: 0, stderr: /No job is scheduled/})
  t.match(await rig.run(['workflow']), {code: 0, stderr: /No workflow found/})
  t.match(await rig.run(['reminders', 'get', 'Counter/1/wake']), {
    code: 0,
    stdout: /set for 1h\nwhen it fails: 3 more tries, 1000 ms apart\ndata: /
  })
  t.match(await rig.run(['reminders', 'run', 'Counter/1/wake']), {
    code: 0,
    stdout: /Reminder 'Counter\/1\/wake' has fired/
  })
  t.equal(worksOf(journal(), 'Counter/1').filter(work => work === 'remind/wake').length, 1)
  t.match(
    JSON.parse((await rig.run(['reminders', 'list', 'Counter/1', '-o', 'json'])).stdout),
    [{left: 3}, {left: 3}],
    'that counts nothing'
  )
  t.match(await rig.run(['reminders', 'delete', 'Counter/1/wake']), {code: 0, stdout: /is deleted/})
  t.match(await rig.run(['reminders', 'delete', 'Counter/1/wake']), {
    code: 1,
    stderr: /there is no reminder 'Counter\/1\/wake'/
  })
  t.match(await rig.run(['reminders', 'run', 'wake']), {code: 255, stderr: /expected TYPE\/ID\/NAME/})
  t.match(await call('host', '/Counter/1/reminders/wake'), {status: 404})
  await run.end('SIGINT')
  t.match(await rig.run(['actors']), {code: 1})
})
