import {readFileSync, statSync} from 'node:fs'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import type {Answer, Driven} from '../rig/command.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const schedule = async (app: Driven, name: string, job: object): Promise<Answer> =>
  app.fetch(`/v1.0/jobs/${name}`, {method: 'POST', body: JSON.stringify(job)})

/** The first column of a list, without workflows. */
const names = (text: string): string => text.replaceAll(/ .*/g, '').replace(/workflow.*\n/, '')

const open = async (t: Test): Promise<{readonly rig: Rig; readonly shop: Driven}> => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true, stop: {timeout: '500ms'}}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await shop.listen()
  return {rig, shop}
}

t.test('jobs list, get, run, pause, resume and delete; skip tells what comes', async t => {
  const {rig, shop} = await open(t)
  t.match(await rig.run(['jobs', 'list']), {code: 0, stdout: '', stderr: /No job is scheduled/})
  await schedule(shop, 'report', {schedule: '@every 1h', repeats: 9, data: {password: 'swordfish', kind: 'daily'}})
  t.match(
    (await rig.run(['job', 'ls'])).stdout,
    /^NAME +PLAN +BEGIN +COUNT +NEXT +\nshop\/report +@every 1h +-\ds +0 of 9 +\+/
  )
  const shown = await rig.run(['jobs', 'get', 'report'])
  t.match(
    shown.stdout,
    /^name: +report\napp: +shop\nschedule: +@every 1h\nrepeats: +9\nfailure policy: +3 more tries, 1000 ms apart\n/
  )
  t.match(shown.stdout, /\ndata: +\{"password":"<masked, 9 characters>","kind":"daily"\}\n$/)
  const running = rig.run(['jobs', 'run', 'shop/report'])
  await (await shop.nextRequest()).reply({status: 200})
  t.match(await running, {code: 0, stdout: /Job 'report' of "shop" came, and was answered with 200/})
  const failing = rig.run(['jobs', 'run', 'report'])
  await (await shop.nextRequest()).reply({status: 500})
  t.match(await failing, {code: 1, stderr: /Job 'report' of "shop" failed: 500/})
  const [job] = JSON.parse((await rig.run(['jobs', 'list', '-o', 'json'])).stdout) as [object]
  t.match(job, {app: 'shop', name: 'report', count: 0, state: 'waits', answer: '500'})
  t.match(await rig.run(['jobs', 'pause', 'report']), {code: 0, stdout: /is paused/})
  t.match(await rig.run(['skip', '3h']), {stdout: /nothing fell due/})
  t.match(await rig.run(['jobs', 'resume', 'report']), {code: 0, stdout: /comes again at 2/})
  const skipping = rig.run(['skip', '2h'])
  for (let tick = 0; tick < 2; tick++) await (await shop.nextRequest()).reply({status: 200})
  const skipped = await skipping
  t.match(skipped.stdout, /^\+\S+ {2}shop {2}job report comes\n\+\S+ {2}shop {2}job report comes\n/)
  t.match((await rig.run(['jobs', 'list'])).stdout, /shop\/report .* 2 of 9 /)
  t.match((await rig.run(['completion', 'ids', 'jobs get'])).stdout, 'shop/report\n')
  const metrics = await fetch(`http://127.0.0.1:${shop.env['DAPR_METRICS_PORT'] ?? ''}`)
  const text = await metrics.text()
  t.match(text, /dapr_component_job_success_count\{app_id="shop",namespace="[^"]*",operation="job_trigger_op"\} 3/)
  t.match(text, /dapr_component_job_failure_count\{[^}]*\} 1/)
  t.match(text, /dapr_component_job_latencies_count\{[^}]*success="true"\} 3/)
  t.match((await rig.run(['calls', '-o', 'ndjson'])).stdout, /"from":"scheduler"/)
  t.match(await rig.run(['jobs', 'delete', 'report']), {code: 0, stdout: /is deleted/})
  t.match(await rig.run(['jobs', 'get', 'report']), {code: 1, stderr: /there is no job 'report'/})
})

t.test('a job that is run by hand while its app is starting comes to it once that listens', async t => {
  const rig = await openRig(t)
  await rig.template([{appID: 'shop', autoPort: true}])
  rig.pillion(['run', '-f', '.'])
  const shop = await rig.driven('shop')
  await schedule(shop, 'report', {dueTime: '9h'})
  const running = rig.run(['jobs', 'run', 'report'])
  while (!(await rig.run(['calls', 'from:scheduler', '-o', 'ndjson'])).stdout.includes('/job/report'));
  await shop.listen()
  await (await shop.nextRequest()).reply({status: 200})
  t.match(await running, {code: 0, stdout: /came, and was answered with 200/})
})

t.test('of a job that comes again and again a skip brings a hundred, then the latest', async t => {
  const {rig, shop} = await open(t)
  await schedule(shop, 'often', {schedule: '@every 1s'})
  const skipping = rig.run(['skip', '1d'])
  for (let tick = 0; tick < 101; tick++) await (await shop.nextRequest()).reply({status: 200})
  const {stdout} = await skipping
  t.equal(stdout.split('\n').filter(line => line.endsWith('job often comes')).length >= 101, true, stdout.slice(-300))
})

t.test('dapr scheduler: list, get, delete, delete-all, export and import', async t => {
  const {rig, shop} = await open(t)
  t.match(await rig.run(['scheduler', 'list']), {code: 0, stderr: /No jobs found in namespace "default"/})
  await schedule(shop, 'a', {schedule: '@daily', ttl: '48h', data: 'text'})
  await schedule(shop, 'b', {dueTime: '2h'})
  await shop.fetch('/v1.0/workflows/dapr/order/start?instanceID=o-1', {method: 'POST', body: '1'})
  await rig.run(['workflow', 'run', 'later', '-a', 'shop', '--instance-id', 'l-1', '--start-time', '5h'])
  const list = (await rig.run(['sched', 'list'])).stdout
  t.match(
    list,
    /^NAME +BEGIN +COUNT +\napp\/shop\/a +-\ds +0 +\napp\/shop\/b +\+1h +0 +\nworkflow\/shop\/l-1\/start-\d+ +\+4h +0 +\n$/
  )
  const wide = JSON.parse((await rig.run(['scheduler', 'get', 'app/shop/a', '-o', 'json'])).stdout) as object[]
  t.match(wide, [{namespace: 'default', name: 'app/shop/a', schedule: '@daily', ttl: '48h', count: 0}])
  t.match((await rig.run(['scheduler', 'list', '-o', 'wide', '--filter', 'app'])).stdout, /^NAMESPACE +NAME +BEGIN /)
  t.match(await rig.run(['scheduler', 'list', '--filter', 'x']), {code: 1, stderr: /there is no kind "x"/})
  const file = join(rig.folder, 'jobs.json')
  t.match(await rig.run(['scheduler', 'export', '-o', file]), {
    code: 0,
    stdout: /Exported 2 jobs and 0 counters\.\n.*Export to '.*jobs\.json' complete\./
  })
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.match(await rig.run(['scheduler', 'export', '-o', file]), {code: 1, stderr: /already exists/})
  t.match(await rig.run(['scheduler', 'delete', 'app/shop/a', 'app/shop/x']), {
    code: 1,
    stdout: /Deleted app\/shop\/a in namespace 'default'\./,
    stderr: /no job with key 'app\/shop\/x' found in namespace 'default'/
  })
  t.match(await rig.run(['scheduler', 'delete-all', 'all']), {
    code: 0,
    stdout: /Deleted job 'app\|\|default\|\|shop\|\|b'\.\n[^]*Deleted 2 jobs in namespace 'default'\./
  })
  t.match(await rig.run(['scheduler', 'import', '-f', file]), {code: 0, stdout: /Imported 2 items\.\n/})
  await rig.write({'marked.json': `\uFEFF${readFileSync(file, 'utf8')}`})
  t.match(await rig.run(['scheduler', 'import', '-f', 'marked.json']), {code: 0, stdout: /Imported 2 items\.\n/})
  t.match(await shop.fetch('/v1.0/jobs/a'), {status: 200, body: /"schedule":"@daily","ttl":"48h"/})
  t.equal(names((await rig.run(['scheduler', 'list'])).stdout), names(list))
  await rig.write({gob: 'a\0b', 'half.json': '{"kind": "pillion-jobs", "version": 1, "jobs": [{"app": "shop"}]}'})
  for (const [words, stderr] of [
    [['scheduler', 'import', '-f', 'gob'], /Go's gob/],
    [['scheduler', 'import', '-f', 'none'], /cannot read none: /],
    [['scheduler', 'import', '-f', 'half.json'], /jobs\[0\] is not a job: app and name are needed/],
    [
      ['scheduler', 'get', 'app/shop'],
      /expecting job key to be in format 'app\/\{app ID\}\/\{job name\}', got 'app\/shop'/
    ],
    [['scheduler', 'get', 'app/shop/none'], /job 'app\/shop\/none' not found/],
    [['scheduler', 'get', 'pet/shop/none'], /unsupported job type 'pet'/],
    [['scheduler', 'get', 'constructor/shop/none'], /unsupported job type 'constructor'/],
    [['scheduler', 'delete-all', 'app/a/b'], /invalid key format: app\/a\/b/],
    [['scheduler', 'delete-all'], /accepts 1 arg/],
    [['scheduler', 'lst'], /Did you mean this\?\n\tlist/],
    [['jobs', 'get', 'a/b/c'], /expected the name of a job, or APP\/NAME/],
    [['jobs', 'get', 'shop/a', '-a', 'store'], /"shop\/a" is not a job of "store"|store/],
    [['jobs', 'pause', 'none'], /there is no job 'none'/]
  ] as const)
    t.match(await rig.run([...words]), {stderr}, words.join(' '))
  t.match(readFileSync(file, 'utf8'), '"kind": "pillion-jobs"')
})
