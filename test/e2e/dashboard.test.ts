import {existsSync, readFileSync, statSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as pause} from 'node:timers/promises'
import t from 'tap'
import {openRig, type Rig} from '../rig/rig.ts'

/** A browser that keeps what it was given. */
const BROWSER = `#!/bin/sh
cp -p "$1" "$(dirname "$0")/opened.html"
`

async function startRun(rig: Rig, ...args: readonly string[]): Promise<ReturnType<Rig['pillion']>> {
  await rig.write({'browser.sh': BROWSER})
  await rig.template([{appID: 'shop'}])
  const run = rig.pillion(['run', '-f', '.', ...args], {env: {BROWSER: ''}})
  await (await rig.driven('shop')).listen()
  await run.waitForLine('Writing log files')
  return run
}

const urlIn = (text: string): URL => new URL(/http:\S+/.exec(text)?.[0] ?? 'http://none')

t.test('dashboard prints the address of the page of the run, whenever it is asked', async t => {
  const rig = await openRig(t)
  await startRun(rig)
  const first = await rig.run(['dashboard', '--no-open'])
  t.match(first, {
    code: 0,
    stderr: '',
    stdout: /^ℹ️ {2}Dashboard of .*dapr\.yaml \(pid \d+\): http:\/\/127\.0\.0\.1:9[78]\d\d\/#t=[\w-]{43}\n$/
  })
  t.same(await rig.run(['dashboard', '--no-open', '-f', '.']), first)
  const looking = await rig.run(['dashboard', '--no-open', '--read-only', '--log-as-json'])
  t.match(JSON.parse(looking.stdout), {msg: /#look=[\w-]{43}$/})
  const url = urlIn(first.stdout)
  const page = await fetch(url)
  t.match(Object.fromEntries(page.headers), {
    'content-type': 'text/html; charset=utf-8',
    'content-encoding': 'gzip',
    'cache-control': 'no-store',
    'content-security-policy': /default-src 'none'; script-src 'self'/
  })
  const html = await page.text()
  const files = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = '']) => path)
  t.ok(files.length >= 3)
  for (const path of files) {
    const answer = await fetch(new URL(path, url))
    t.equal(answer.status, 200, path)
    t.match(answer.headers.get('content-type'), path.endsWith('.css') ? 'text/css' : 'text/javascript')
  }
  const plain = await fetch(url, {headers: {'accept-encoding': 'identity'}})
  t.equal(plain.headers.get('content-encoding'), null)
  t.equal(await plain.text(), html)
})

t.test('the browser gets the address by a file of the user alone, which goes with the run', async t => {
  const rig = await openRig(t)
  const run = await startRun(rig)
  const mine = {env: {BROWSER: join(rig.folder, 'browser.sh')}}
  const sh = rig.start(['chmod', '+x', 'browser.sh'])
  await sh.exited
  const {code, stdout, stderr} = await rig.run(['dashboard'], mine)
  t.match({code, stderr}, {code: 0, stderr: ''})
  const opened = join(rig.folder, 'opened.html')
  t.equal(statSync(opened).mode & 0o777, 0o600)
  t.ok(readFileSync(opened, 'utf8').includes(`url=${urlIn(stdout).href}"`))
  t.match(await rig.run(['dashboard'], {env: {BROWSER: join(rig.folder, 'none')}}), {
    code: 0,
    stdout,
    stderr: /The browser was not opened: .*ENOENT.*\. Open the address yourself\.\n$/
  })
  t.match(await rig.run(['dashboard'], {env: {BROWSER: '', DISPLAY: '', WAYLAND_DISPLAY: ''}}), {
    code: 0,
    stderr: /there is no screen here/
  })
  await run.end('SIGINT')
  t.notOk(existsSync(join(rig.runtimeDir, 'dashboard.html')))
  t.same(await rig.leftovers(), [])
})

t.test('run --dashboard prints the address once the apps have started, and opens it', async t => {
  const rig = await openRig(t)
  await rig.write({'browser.sh': BROWSER})
  await rig.start(['chmod', '+x', 'browser.sh']).exited
  await rig.template([{appID: 'shop'}])
  const run = rig.pillion(['up', '--dashboard'], {env: {BROWSER: join(rig.folder, 'browser.sh')}})
  await run.waitForLine('Dashboard: http')
  const url = urlIn(run.stdout.text)
  t.equal((await fetch(url)).status, 200)
  const opened = join(rig.folder, 'opened.html')
  while (!existsSync(opened)) await pause(10)
  t.match(run.stdout.text, /Writing log files[^]*Dashboard: /)
  t.equal(run.stderr.text, '')
  t.match(await run.end('SIGINT'), {code: 0})
  const single = rig.pillion(['run', '--app-id', 'one', '--dashboard', '--', 'sleep', '60'], {
    env: {BROWSER: join(rig.folder, 'none')}
  })
  await single.waitForLine('Dashboard: http')
  await single.waitForLine('was not opened', {stream: 'stderr'})
  t.match(await single.end('SIGINT'), {code: 0})
})

t.test('what dashboard cannot do is said', async t => {
  const rig = await openRig(t)
  t.match(await rig.run(['dashboard']), {code: 1, stderr: /there is no run/})
  await startRun(rig)
  t.match(await rig.run(['dashboard', '-f', 'elsewhere.yaml']), {code: 1})
  t.match(await rig.run(['dashboard', '--port', '70000']), {code: 1, stderr: /70000 is not a port/})
  t.match(await rig.run(['dashboard', '--port', '0']), {code: 1, stderr: /0 is not a port/})
  t.match(await rig.run(['dashboard', '--port', 'soon']), {code: 255})
  t.match(await rig.run(['dashboard', '-k']), {code: 1, stderr: /not supported/})
  t.match(await rig.run(['dashboard', '--no-open']), {code: 0})
  t.match(await rig.run(['dashboard', '--no-open', '--port', '1']), {
    code: 1,
    stderr: /it is open at port (\d+) already\nIts address: http:\/\/127\.0\.0\.1:\1\/#t=/
  })
})
