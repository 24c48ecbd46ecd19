import {execFileSync} from 'node:child_process'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import t, {type Test} from 'tap'
import {freePort} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'

const SERVER = `process.getBuiltinModule('node:http').createServer((_, response) => response.end(process.cwd())).listen(process.env.PORT)`
/** Prints where the command calls, and who answers there. */
const SEEN = 'node -e "fetch(process.env.WEB_URL).then(async a => console.log(process.env.WEB_URL, await a.text()))"'

/** A repository with one service, whose address `common` gives to all, and its copy in a worktree. */
async function openCopies(t: Test): Promise<{readonly rig: Rig; readonly port: number; readonly pillion: string}> {
  const rig = await openRig(t)
  const port = await freePort()
  const template = (more: object): string =>
    JSON.stringify({
      version: 1,
      common: {env: {WEB_URL: `http://127.0.0.1:${port}`}},
      apps: [{appID: 'web', appDirPath: '.', port, command: ['node', 'server.mjs'], ...more}]
    })
  await rig.write({
    'main/pillion.yaml': template({}),
    'main/edited.yaml': template({env: {EDITED: '1'}}),
    'main/server.mjs': SERVER,
    'main/.gitignore': '.dapr\nreport\n'
  })
  const cwd = join(rig.folder, 'main')
  for (const words of [
    ['init', '-q'],
    ['add', '.'],
    ['commit', '-qm', 'all'],
    ['worktree', 'add', '-q', '../copy']
  ])
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...words], {cwd})
  t.teardown(async () => {
    for (const folder of ['main', 'copy']) await rig.run(['down'], {folder})
  })
  return {rig, port, pillion: rig.program.join(' ')}
}

t.test('up --run uses the ready run of its folder, and leaves it; else it starts one in other ports', async t => {
  const {rig, port, pillion} = await openCopies(t)
  const folder = 'main'
  const up = async (...words: readonly string[]): ReturnType<Rig['run']> => rig.run(['up', ...words], {folder})
  t.match(await up('-d'), {code: 0})
  const used = await up('--run', `${SEEN}; ${pillion} url web; exit 7`)
  t.match(used, {code: 7, stderr: /Using .*main\/pillion.yaml \(pid \d+\) for: /})
  t.match(used.stdout, new RegExp(`^http://127.0.0.1:${port} .*/main\nhttp://localhost:${port}\n$`))
  t.match(await up('--timeout', '1s', '--run', 'sleep 60'), {code: 124})
  t.match(await rig.run(['ps'], {folder}), {stdout: /web +ready/}, 'the run goes on')
  t.match(await rig.run(['down'], {folder}), {code: 0})
  t.match(await up('-d', '--watch'), {code: 0})
  t.match(await up('--run', 'true'), {code: 0, stderr: /Using .*main\/pillion.yaml/}, 'one that reloads on save, too')
  t.match(await rig.run(['down'], {folder}), {code: 0})
  t.match(await up('-d'), {code: 0})
  for (const [words, why] of [
    [['--report', 'report'], /it runs without --report=report/],
    [['--env', 'A=1'], /it runs without --env=A=1/]
  ] as const) {
    const own = await up(...words, '--run', `${SEEN}; ${pillion} url web`)
    t.match(own, {code: 0, stderr: why}, words.join(' '))
    const [, number, other] = /^http:\/\/127.0.0.1:(\d+) .*\/main\nhttp:\/\/localhost:(\d+)\n$/.exec(own.stdout) ?? []
    t.equal(number, other, 'one number for the command and for url')
    t.not(number, port.toString(), 'its own')
  }
  await rig.write({'main/pillion.yaml': await readFile(join(rig.folder, 'main/edited.yaml'), 'utf8')})
  t.match(await up('--run', SEEN), {code: 0, stderr: /the template changes web/})
  t.match(await rig.run(['down'], {folder}), {code: 0})
  const alone = await up('--run', SEEN)
  t.match(alone.stdout, new RegExp(`^http://127.0.0.1:${port} `), 'without a run it has the numbers of the template')
})

t.test('in a worktree a command reaches its own copy, by up --run and by exec --here', async t => {
  const {rig, port, pillion} = await openCopies(t)
  const folder = 'copy'
  t.match(await rig.run(['up', '-d'], {folder: 'main'}), {code: 0})
  t.match(await rig.run(['exec', '--here', '--', 'true'], {folder}), {code: 1, stderr: /nothing runs here/})
  t.match(await rig.run(['up', '-d'], {folder}), {code: 0})
  for (const words of [
    ['up', '--run', SEEN],
    ['exec', '--here', '--', 'sh', '-c', SEEN]
  ]) {
    const {code, stdout} = await rig.run(words, {folder})
    t.equal(code, 0)
    t.match(stdout, /^http:\/\/127.0.0.1:\d+ .*\/copy\n$/)
    t.notMatch(stdout, `:${port} `)
  }
  const here = ['exec', '--here', '--']
  t.match(await rig.run([...here, 'sh', '-c', 'pwd; exit 7'], {folder}), {code: 7, stdout: /\/copy\n$/})
  t.match(await rig.run(['exec', '--here'], {folder}), {code: 255, stderr: /exec --here needs a command/})
  const waits = rig.pillion([...here, 'sh', '-c', "trap 'exit 9' INT; echo up; while :; do sleep 0.1; done"], {folder})
  await waits.waitForLine('up')
  t.match(await waits.end('SIGINT'), {code: 9})
  t.match(await rig.run([...here, 'sh', '-c', `${pillion} down`], {folder}), {code: 0, stdout: /1 app stopped/})
  t.match(await rig.run(['ps'], {folder}), {stdout: 'Nothing is running here.\n'})
  t.match(await rig.run(['ps'], {folder: 'main'}), {stdout: /web +ready/})
})
