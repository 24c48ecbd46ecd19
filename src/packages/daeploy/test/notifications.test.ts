import t from 'tap'
import {notificationLine, Notifications, readNotification, type Notification} from '../notifications.ts'

const heavy: Notification = {
  service_name: 'parcel_desk',
  service_version: '1.0.0',
  msg: 'a heavy parcel',
  severity: 1,
  dashboard: true,
  emails: null,
  timer: 0,
  timestamp: '2026-11-20 05:05:54.719785'
}

t.test('the same notification again counts, and only its time is new', async t => {
  const kept = new Notifications()
  kept.add(heavy, 0)
  kept.add({...heavy, timestamp: 'later'}, 1)
  kept.add({...heavy, msg: 'another'}, 2)
  const all = kept.list()
  t.same(Object.values(all), [
    {...heavy, timestamp: 'later', counter: 2},
    {...heavy, msg: 'another', counter: 1}
  ])
  for (const key of Object.keys(all)) t.match(key, /^-?\d+$/)
  for (const change of [{service_name: 'x'}, {service_version: '2.0.0'}, {severity: 2}, {dashboard: false}, {timer: 5}])
    kept.add({...heavy, ...change}, 3)
  t.equal(Object.keys(kept.list()).length, 7, 'each of these fields makes it another one')
  kept.clear()
  t.same(kept.list(), {})
})

t.test('a timer beyond the last date there is ends there', async t => {
  for (const [timer, frozen_until] of [
    [1e13, '+275760-09-13T00:00:00.000Z'],
    [-1e13, '-271821-04-20T00:00:00.000Z']
  ] as const) {
    const kept = new Notifications()
    kept.add({...heavy, timer}, 0)
    kept.add({...heavy, timer}, 1)
    t.match(Object.values(kept.list()), [{counter: 2, frozen_until}])
  }
})

t.test('a timer says until when no mail would be sent, and does not stop the count', async t => {
  const kept = new Notifications()
  const timed = {...heavy, timer: 60}
  kept.add(timed, 0)
  kept.add(timed, 30_000)
  t.match(Object.values(kept.list()), [{counter: 2, frozen_until: '1970-01-01T00:01:00.000Z'}])
  kept.add(timed, 90_000)
  t.match(Object.values(kept.list()), [{counter: 3, frozen_until: '1970-01-01T00:02:30.000Z'}])
})

t.test('the oldest goes when there are more than a thousand', async t => {
  const kept = new Notifications()
  for (let i = 0; i <= 1000; i++) kept.add({...heavy, msg: i.toString()}, 0)
  const messages = Object.values(kept.list()).map(({msg}) => msg)
  t.equal(messages.length, 1000)
  t.equal(messages[0], '1')
})

t.test('the line tells who, how grave and what, in one line', async t => {
  t.equal(notificationLine(heavy), '🔔 parcel_desk 1.0.0 WARNING a heavy parcel')
  t.equal(notificationLine({...heavy, severity: 0, msg: 'a\r\nb\nc'}), '🔔 parcel_desk 1.0.0 INFO a b c')
  t.equal(notificationLine({...heavy, severity: 2}), '🔔 parcel_desk 1.0.0 CRITICAL a heavy parcel')
  t.equal(notificationLine({...heavy, severity: 7}), '🔔 parcel_desk 1.0.0 7 a heavy parcel')
  t.equal(
    notificationLine({...heavy, emails: ['a@b.test']}),
    '🔔 parcel_desk 1.0.0 WARNING a heavy parcel (e-mail not sent)'
  )
  t.notMatch(notificationLine({...heavy, emails: []}), /e-mail/)
})

t.test('a posted notification is read, and what it lacks is listed as FastAPI lists it', async t => {
  t.same(readNotification({...heavy, more: 1}), heavy)
  const {emails: _, ...without} = heavy
  t.same(readNotification(without), heavy, 'addressees may be left out')
  const answer = readNotification({...heavy, severity: 'high', msg: undefined, timer: 1.5})
  t.match(answer, {status: 422})
  t.match(JSON.parse('body' in answer ? answer.body : ''), {
    detail: [
      {type: 'string_type', loc: ['body', 'msg']},
      {type: 'int_type', loc: ['body', 'severity'], input: 'high'},
      {type: 'int_type', loc: ['body', 'timer']}
    ]
  })
  const empty = readNotification(null)
  t.match(JSON.parse('body' in empty ? empty.body : ''), {
    detail: ['service_name', 'service_version', 'msg', 'severity', 'dashboard', 'timer', 'timestamp'].map(name => ({
      type: 'missing',
      loc: ['body', name],
      msg: 'Field required'
    }))
  })
})

t.test('one that comes again and again is not the oldest', async t => {
  const kept = new Notifications()
  for (let i = 0; i <= 1500; i++) {
    kept.add({...heavy, msg: i.toString()}, 0)
    kept.add(heavy, 0)
  }
  const [found] = Object.values(kept.list()).filter(({msg}) => msg === heavy.msg)
  t.match(found, {counter: 1501})
})
