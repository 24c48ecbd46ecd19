import t from 'tap'
import {openRuns, firstRun} from '../rig/lazy-runs.ts'

t.test('an event of a topic to which an app subscribed by itself yesterday starts it today', async t => {
  const runs = await openRuns(t)
  await firstRun(runs)
  const run = await runs.begin()
  t.equal(await runs.ask('/v1.0/publish/pubsub/news', 'POST', {text: 'rain'}), 204)
  await run.waitForLine('got POST /news')
  await run.waitForLine('desk: woken by an event of topic news')
})

t.test('an event that starts an app waits until that says its routes, though it could not at first', async t => {
  const runs = await openRuns(t)
  await firstRun(runs)
  const run = await runs.begin()
  await runs.rig.write({'desk/busy': '/dapr/subscribe'})
  t.equal(await runs.ask('/v1.0/publish/pubsub/news', 'POST', {text: 'rain'}), 204)
  await run.waitForLine('got POST /news')
})

t.test('an app that does not say its routes yet has a sidecar that is ready, and gets the events that have some', async t => {
  const runs = await openRuns(t)
  await firstRun(runs)
  const topics = {topic: 'sport', routes: {default: '/sport'}, pubsubname: 'pubsub'}
  await runs.rig.write({
    'desk/busy': '/sport',
    'resources/sport.yaml': JSON.stringify({
      apiVersion: 'dapr.io/v2alpha1',
      kind: 'Subscription',
      metadata: {name: 'sport'},
      spec: topics
    })
  })
  const run = await runs.begin()
  t.equal(await runs.ask('/v1.0/publish/pubsub/news', 'POST', {text: 'rain'}), 204)
  await run.waitForLine('desk: woken by an event of topic news')
  while ((await runs.ask('/v1.0/healthz', 'GET')) !== 204);
  t.equal(await runs.ask('/v1.0/publish/pubsub/sport', 'POST', {text: 'goal'}), 204)
  await run.waitForLine('got POST /sport')
  await run.waitForLine('got POST /news')
}) // prettier-ignore

t.test('a call of an actor of a type that an app hosted yesterday starts it today', async t => {
  const runs = await openRuns(t)
  await firstRun(runs)
  const run = await runs.begin()
  t.equal(await runs.ask('/v1.0/actors/Cart/7/method/add', 'PUT'), 200)
  await run.waitForLine('desk: woken by an actor of type Cart')
})

t.test('a reminder that was set yesterday starts the app of its actor today', async t => {
  const runs = await openRuns(t)
  await firstRun(runs, async () => {
    t.equal(await runs.ask('/v1.0/actors/Cart/7/reminders/pay', 'POST', {dueTime: '4s', period: ''}), 204)
  })
  const run = await runs.begin()
  await run.waitForLine('got PUT /actors/Cart/7/method/remind/pay')
})

t.test('a job that is due starts its app, today and tomorrow', async t => {
  const runs = await openRuns(t)
  const first = await runs.begin()
  t.equal(await runs.ask('/v1.0-alpha1/jobs/clean', 'POST', {schedule: '@every 1s', repeats: 2}), 204)
  await first.waitForLine('desk: woken by job clean')
  await first.waitForLine('got POST /job/clean')
  await first.end('SIGINT')
  const second = await runs.begin()
  await second.waitForLine('desk: woken by job clean')
  await second.waitForLine('got POST /job/clean')
})

t.test('a job that is run by hand starts its app, and the answer of that is told', async t => {
  const runs = await openRuns(t)
  await runs.begin()
  t.equal(await runs.ask('/v1.0-alpha1/jobs/clean', 'POST', {dueTime: '9h'}), 204)
  t.match(await runs.rig.run(['jobs', 'run', 'clean']), {code: 0, stdout: /came, and was answered with 200/})
})
